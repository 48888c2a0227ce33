/** Training examples made from what people judged, and from what they took of what they were shown. */
import type { TrainingExample, Trajectory } from '../contracts/lora.ts';
import type { JudgedQuery } from './rank-metrics.ts';

/** More negatives of one query cost time and say little that the first have not said. */
const MOST_NEGATIVES = 7;

/** Text of a document; undefined where the corpus does not hold it any more. */
export type TextOf = (id: string) => string | undefined;

/** One example for each relevant document; whatever was judged lower is a negative of it. */
export function examplesOfJudgements(queries: readonly JudgedQuery[], textOf: TextOf): TrainingExample[] {
  return queries.flatMap(({ text: query, judgements }) => {
    const judged = Object.entries(judgements)
      .flatMap(([id, grade]) => {
        const text = textOf(id);
        return text === undefined ? [] : [{ text, grade }];
      })
      .sort((a, b) => b.grade - a.grade);
    return judged
      .filter(({ grade }) => grade > 0)
      .map(({ text, grade }) =>
        withNegatives(
          query,
          { text, grade },
          judged.filter((other) => other.grade < grade),
        ),
      );
  });
}

/**
 * What somebody took is relevant; what stood above it, and was looked past, is less so (Joachims 2002, 'click > skip above').
 * What stood below may never have been looked at, and teaches nothing.
 */
export function examplesOfTrajectories(trajectories: readonly Trajectory[], textOf: TextOf): TrainingExample[] {
  return trajectories.flatMap(({ query, shown = [], chosen }) =>
    chosen.flatMap((id) => {
      const text = textOf(id);
      if (text === undefined) return [];
      const above = shown.slice(0, Math.max(0, shown.indexOf(id))).filter((other) => !chosen.includes(other));
      const skipped = above.flatMap((other) => {
        const passed = textOf(other);
        return passed === undefined ? [] : [{ text: passed, grade: 0 }];
      });
      return [withNegatives(query, { text, grade: 1 }, skipped)];
    }),
  );
}

interface Graded {
  readonly text: string;
  readonly grade: number;
}

const withNegatives = (query: string, positive: Graded, lower: readonly Graded[]): TrainingExample => {
  const negatives = lower.slice(0, MOST_NEGATIVES);
  if (negatives.length === 0) return { query, positive: positive.text };
  return {
    query,
    positive: positive.text,
    negatives: negatives.map(({ text }) => text),
    grades: [positive.grade, ...negatives.map(({ grade }) => Math.max(0, grade))],
  };
};
