/** Variants of hybrid search: kept, read back, and what of them decides an index. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { HybridContent, HybridSettings } from '../../contracts/retrieval.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { Tokenising } from '../../domain/tokens.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import { searchSettings } from '../lexical/variant.ts';
import type { IndexRecipe } from '../retrieval/port.ts';

/** Raise it when the same settings would cut or index a document differently: every index is then built anew. */
const INDEX_VERSION = 1;
const MOST_DEPTH = 1_000;

const share = z.number().min(0).max(1);
const size = z.int().min(50).max(100_000);
const depth = z.int().min(1).max(MOST_DEPTH);
const length = z.int().min(8).max(8_192);
const artifact = z.strictObject({ uri: z.string(), sha256: z.string() });
const encoder = { base: z.string(), adapter: z.string().nullable() };

export const hybridSettings = z.strictObject({
  chunking: z.discriminatedUnion('method', [
    z.strictObject({ method: z.literal('whole') }),
    z.strictObject({ method: z.literal('fixed'), size, overlap: z.int().min(0).max(10_000) }),
    z.strictObject({ method: z.literal('recursive'), size }),
    z.strictObject({ method: z.literal('structure'), size }),
    z.strictObject({ method: z.literal('semantic'), size, breaks: share }),
  ]),
  lexical: searchSettings.nullable(),
  dense: z
    .strictObject({
      ...encoder,
      side: z.enum(['both', 'query']),
      lengths: z.strictObject({ query: length, document: length }),
    })
    .nullable(),
  fusion: z.strictObject({
    method: z.enum(['rrf', 'scores']),
    k: z.number().min(0).max(10_000),
    weights: z.strictObject({ lexical: share, dense: share }),
    depth,
  }),
  rerank: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('fusion'), network: artifact, depth }),
      z.strictObject({
        ...{ kind: z.literal('cross-encoder'), encoder: z.strictObject(encoder), maxLength: length, depth },
      }),
    ])
    .nullable(),
  threshold: z.number().min(-1).max(1).nullable(),
}) satisfies z.ZodType<HybridSettings>;

const hybridContent = z.strictObject({
  kind: z.literal('hybrid'),
  service: z.string(),
  settings: hybridSettings,
  recipe: z.string(),
  twin: z.string().exactOptional(),
});

/** What decides the chunks of an index and their vectors. Everything else only matters when a question comes. */
export const recipeOf = ({ chunking, lexical, dense }: HybridSettings): string => {
  const vectors = dense && {
    ...{ base: dense.base, length: dense.lengths.document },
    adapter: dense.side === 'both' ? dense.adapter : null,
  };
  return digestOf({ index: INDEX_VERSION, chunking, tokenising: tokenisingOf(lexical), vectors });
};

/** The index of a recipe over one store of documents. Another generation is another index over the same documents. */
export const indexRecipe = (
  { service, settings, recipe }: HybridContent,
  over: { readonly store: string; readonly generation: number },
  dimensions: number | null,
): IndexRecipe => ({
  ...{ service, dimensions, tokenising: tokenisingOf(settings.lexical) },
  digest: digestOf({ recipe, ...over }),
});

export const tokenisingOf = (lexical: HybridSettings['lexical']): Tokenising => ({
  stemming: lexical?.stemming ?? false,
  splitIdentifiers: lexical?.splitIdentifiers ?? false,
});
const digestOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

/** Keeps settings as a variant. The same settings give the same id, whoever found them. */
export async function saveHybrid(
  artifacts: Pick<ArtifactStore, 'putJson'>,
  service: string,
  settings: HybridSettings,
): Promise<{ id: string; artifact: ArtifactRef }> {
  if (!settings.lexical && !settings.dense) {
    throw new PawlError('ConfigInvalid', 'A variant searches by words, by meaning, or by both; this one by neither.', {
      hint: 'Give it `lexical` settings, or an encoder under `dense`.',
    });
  }
  const content: HybridContent = { kind: 'hybrid', service, settings, recipe: recipeOf(settings) };
  const kept = await artifacts.putJson(content);
  return { id: kept.sha256, artifact: kept };
}

/** null: it is a variant of another kind. */
export const hybridContentOf = (id: string, content: unknown): HybridContent | null => {
  if ((content as { kind?: unknown } | null)?.kind !== 'hybrid') return null;
  const checked = hybridContent.safeParse(content);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new PawlError(
      'ConfigInvalid',
      `Variant ${id} is no variant of hybrid search: ${issue?.path.join('.')}: ${issue?.message}`,
      { hint: 'It was made by another version, or by hand. Build a variant with this version.' },
    );
  }
  const { settings, recipe } = checked.data;
  if (recipe === recipeOf(settings)) return checked.data;
  throw new PawlError('Refused', `Variant ${id} was made for an index that this version does not build.`, {
    hint: 'Build a variant with the same settings: it gets an index of this version.',
  });
};
