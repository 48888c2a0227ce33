import { createHash } from 'node:crypto';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { ModelCache } from '../adapters/models/cache.ts';
import { parseCorpusTexts, parseHeldOut } from '../adapters/training/lines.ts';
import type { Judged } from '../adapters/training/ranking.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { JudgedData } from '../contracts/lora.ts';
import type { StageDeps } from './stage-deps.ts';

/** What training needs of the world. */
export interface TrainingDeps {
  readonly artifacts: ArtifactStore;
  readonly control: Pick<ControlStore, 'addModel'>;
  readonly models: Pick<ModelCache, 'open'>;
  /** For the price of CPU time. */
  readonly services: StageDeps['services'];
  now(): number;
}

export const judgedOf = async (artifacts: ArtifactStore, { queries, corpus }: JudgedData): Promise<Judged> => {
  const text = async (ref: ArtifactRef) => (await artifacts.get(ref)).toString('utf8');
  return {
    queries: parseHeldOut({ name: 'the judged queries', text: await text(queries) }),
    corpus: parseCorpusTexts({ name: 'the corpus', text: await text(corpus) }),
  };
};

/** A short name for what an attempt works on: a cursor that was left for something else is not used. */
export const nameOf = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');
