/** How often a document was shown and taken for a query at a place: all that the click model looks at, and mergeable. */
import type { ReceivedAnswer } from '../contracts/feedback.ts';
import { normalised } from './tokens.ts';

/** Of a document for a query at one place, best at 1. */
export interface ClickCell {
  readonly query: string;
  readonly document: string;
  readonly position: number;
  readonly shown: number;
  readonly clicks: number;
}
export type ClickCounts = readonly ClickCell[];

/** Deeper than this hardly anybody looks, and what they take says little of the place. */
export const DEEPEST = 10;

export const keyOf = ({ query, document }: Pick<ClickCell, 'query' | 'document'>): string => `${query}\n${document}`;

/** Answers of which nobody said what was on the page are left out: what was looked past is not known. */
export const countClicks = (answers: readonly ReceivedAnswer[]): ClickCounts =>
  mergeCounts([
    answers.flatMap(({ query, shown, clicks }) => {
      const taken = new Set(clicks.map(({ document }) => document));
      return (shown ?? [])
        .filter(({ position }) => position <= DEEPEST)
        .map(
          ({ document, position }): ClickCell => ({
            ...{ query: normalised(query), document, position },
            ...{ shown: 1, clicks: taken.has(document) ? 1 : 0 },
          }),
        );
    }),
  ]);

/** Counts of several windows, tenants or machines as one. */
export const mergeCounts = (all: readonly ClickCounts[]): ClickCounts => {
  const merged = new Map<string, ClickCell>();
  for (const cell of all.flat()) {
    const key = `${keyOf(cell)}\n${cell.position}`;
    const { shown = 0, clicks = 0 } = merged.get(key) ?? {};
    merged.set(key, { ...cell, shown: shown + cell.shown, clicks: clicks + cell.clicks });
  }
  return [...merged.values()];
};
