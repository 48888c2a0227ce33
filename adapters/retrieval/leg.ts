import type { ScoredChunk } from './port.ts';

/** What one leg found, and in which state of the index. */
export interface LegAnswer {
  readonly version: number;
  readonly hits: readonly ScoredChunk[];
}
