import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { SearchSettings, Variant, VariantContent } from '../../contracts/variant.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import { recipeOf } from './recipe.ts';

const weight = z.number().min(0).max(1_000);
export const searchSettings = z.strictObject({
  weights: z.strictObject({ title: weight, body: weight }),
  stemming: z.boolean(),
  splitIdentifiers: z.boolean(),
  stopShare: z.number().min(0).max(1),
  synonyms: z.record(z.string(), z.array(z.string())),
  expansion: z.strictObject({ documents: z.int().min(0).max(100), words: z.int().min(0).max(100) }),
}) satisfies z.ZodType<SearchSettings>;

const variantContent = z.strictObject({
  kind: z.literal('lexical'),
  service: z.string(),
  settings: searchSettings,
  recipe: z.string(),
  twin: z.string().exactOptional(),
});

/** How a service starts when nobody searched for its settings yet. */
export const DEFAULT_SETTINGS: SearchSettings = {
  weights: { title: 1, body: 1 },
  stemming: false,
  splitIdentifiers: false,
  stopShare: 1,
  synonyms: {},
  expansion: { documents: 3, words: 0 },
};

/** Keeps settings as a variant. The same settings give the same id, whoever found them. */
export async function saveVariant(
  artifacts: ArtifactStore,
  service: string,
  settings: SearchSettings,
): Promise<{ id: string; artifact: ArtifactRef }> {
  const content: VariantContent = { kind: 'lexical', service, settings, recipe: recipeOf(settings) };
  const artifact = await artifacts.putJson(content);
  return { id: artifact.sha256, artifact };
}

/** The variant's content, which is what its id says (the store checks the digest), or an error. */
export async function loadVariant(
  artifacts: ArtifactStore,
  variant: Pick<Variant, 'id' | 'artifact'>,
): Promise<VariantContent> {
  if (variant.artifact.sha256 !== variant.id) {
    throw new PawlError(
      'DigestMismatch',
      `Variant ${variant.id} points to content with the digest ${variant.artifact.sha256}.`,
      { hint: 'The registry was changed by hand. Put another variant in its place; this one cannot be trusted.' },
    );
  }
  const content = await artifacts.getJson(variant.artifact);
  if ((content as { kind?: unknown } | null)?.kind === 'hybrid') {
    throw new PawlError('ConfigInvalid', `Variant ${variant.id} is one of hybrid search, and full text is asked for.`, {
      hint: 'The built-in stages search settings of full text: name stages of your own under `stages` in pawl.yaml.',
    });
  }
  const checked = variantContent.safeParse(content);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new PawlError(
      'ConfigInvalid',
      `Variant ${variant.id} is no lexical variant: ${issue?.path.join('.')}: ${issue?.message}`,
    );
  }
  if (checked.data.recipe !== recipeOf(checked.data.settings)) {
    throw new PawlError('Refused', `Variant ${variant.id} was made for an index that this version does not build.`, {
      hint: 'Start a cycle: it builds a variant for the index of this version.',
    });
  }
  return checked.data;
}
