import type { JudgedQuery } from '../../domain/rank-metrics.ts';
import { mineSynonyms, type SynonymCandidate } from '../../domain/synonym-mining.ts';
import { words } from '../../domain/tokens.ts';
import { defineTask } from '../threads.ts';
import { type CorpusBytes, corpusSource } from './corpus-bytes.ts';

export interface MiningWork {
  readonly corpus: CorpusBytes;
  readonly queries: readonly JudgedQuery[];
  readonly most: number;
}

export const mining = defineTask(
  import.meta.url,
  ({ corpus, queries, most }: MiningWork, _, tick): SynonymCandidate[] => {
    const documents = corpusSource(corpus).documents();
    return mineSynonyms({
      queries,
      most,
      tick,
      documents: documents.map(({ id, title, text }) => {
        tick();
        return { id, words: words(`${title} ${text}`) };
      }),
    });
  },
);
