import type { CorpusDocument } from '../../adapters/lexical/document.ts';
import type { JudgedQuery } from '../../domain/rank-metrics.ts';

/** A corpus, what may be learned from, and what is asked in the end. No query is on both sides. */
export interface GainTask {
  readonly documents: readonly CorpusDocument[];
  readonly train: readonly JudgedQuery[];
  readonly test: readonly JudgedQuery[];
  readonly dropped: Readonly<Record<string, number>>;
}

export const textOf = ({ title, text }: CorpusDocument): string => `${title} ${text}`.trim();
