import type { Tokenising } from '../../domain/tokens.ts';
import { defineTask } from '../threads.ts';
import { ensureIndex } from './build.ts';
import { type CorpusBytes, corpusSource } from './corpus-bytes.ts';

export interface BuildWork {
  readonly indexFolder: string;
  readonly corpus: CorpusBytes;
  readonly how: Tokenising;
}

/** The path of the index over this corpus, built where it was missing. */
export const indexBuild = defineTask(import.meta.url, ({ indexFolder, corpus, how }: BuildWork): string =>
  ensureIndex(indexFolder, corpusSource(corpus), how),
);
