import { z } from 'zod';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { CorpusBytes } from '../adapters/lexical/corpus-bytes.ts';
import { loadVariant } from '../adapters/lexical/variant.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { PawlError } from '../contracts/failures.ts';
import type { DatasetManifest } from '../contracts/plan.ts';
import type { SearchSettings } from '../contracts/variant.ts';
import type { JudgedQuery } from '../domain/rank-metrics.ts';
import type { SynonymCandidate } from '../domain/synonym-mining.ts';
import type { StageDeps } from './stage-deps.ts';

const artifactRef = z.object({ uri: z.string(), sha256: z.string() });
const manifest: z.ZodType<DatasetManifest> = z.object({
  corpus: artifactRef,
  documents: z.number(),
  train: artifactRef,
  test: artifactRef,
  trainQueries: z.number(),
  testQueries: z.number(),
  candidates: artifactRef,
});
const judgedQueries: z.ZodType<JudgedQuery[]> = z.array(
  z.object({ id: z.string(), text: z.string(), judgements: z.record(z.string(), z.number()) }),
);
const synonymCandidates: z.ZodType<SynonymCandidate[]> = z.array(
  z.object({
    word: z.string(),
    synonyms: z.array(z.string()),
    score: z.number(),
    source: z.enum(['queries', 'corpus']),
  }),
);

/** A dataset's manifest as augment left it; every input under it is named by digest. */
export const readManifest = (artifacts: ArtifactStore, ref: ArtifactRef): Promise<DatasetManifest> =>
  readAs(artifacts, ref, manifest, 'dataset manifest');

export const readQueries = (artifacts: ArtifactStore, ref: ArtifactRef): Promise<JudgedQuery[]> =>
  readAs(artifacts, ref, judgedQueries, 'list of judged queries');

export const readCandidates = (artifacts: ArtifactStore, ref: ArtifactRef): Promise<SynonymCandidate[]> =>
  readAs(artifacts, ref, synonymCandidates, 'list of synonym candidates');

export const readCorpusBytes = async (artifacts: ArtifactStore, ref: ArtifactRef): Promise<CorpusBytes> => ({
  sha256: ref.sha256,
  bytes: await artifacts.get(ref),
});

/** The settings of a registered variant. */
export async function settingsOfVariant({ control, artifacts }: StageDeps, id: string): Promise<SearchSettings> {
  const variant = await control.variant(id);
  if (variant === null) {
    throw new PawlError('NotFound', `Variant ${id} is not registered.`, {
      hint: '`pawl variant ls` lists those that are.',
    });
  }
  return (await loadVariant(artifacts, variant)).settings;
}

async function readAs<Shape>(
  artifacts: ArtifactStore,
  ref: ArtifactRef,
  shape: z.ZodType<Shape>,
  what: string,
): Promise<Shape> {
  const checked = shape.safeParse(await artifacts.getJson(ref));
  if (checked.success) return checked.data;
  const issue = checked.error.issues[0];
  throw new PawlError('ConfigInvalid', `${ref.uri} is no ${what}: ${issue?.path.join('.')}: ${issue?.message}`);
}
