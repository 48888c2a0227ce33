/**
 * What is learned from clicks.
 *
 * 1. A click further down weighs more, by 1 / examination of its place: there are so many more who would have taken it and
 *    never looked (inverse propensity weighting; Joachims, Swaminathan, Schnabel, WSDM 2017). The weight is clipped, so that
 *    no single click at the bottom decides anything.
 * 2. A grade is given with the probability that it is that grade. Whoever learns from it can leave out what is a guess.
 */
import type { ReceivedAnswer } from '../contracts/feedback.ts';
import type { Trajectory } from '../contracts/lora.ts';
import { betaBelow } from './beta.ts';
import { type ClickModel, widened } from './click-model.ts';

const MOST_WEIGHT = 10;

export interface WeightedPair {
  readonly query: string;
  readonly positive: string;
  /** Shown with it and not taken. */
  readonly negatives: readonly string[];
  readonly weight: number;
}

/** Clicks at places of which nothing is known are left out. */
export const weightedPairs = (answers: readonly ReceivedAnswer[], { places }: ClickModel): WeightedPair[] =>
  answers.flatMap(({ query, shown, clicks }) => {
    const taken = new Set(clicks.map(({ document }) => document));
    const negatives = (shown ?? []).map(({ document }) => document).filter((document) => !taken.has(document));
    return clicks.flatMap(({ document, position }): WeightedPair[] => {
      const place = places[position - 1];
      if (!place) return [];
      return [{ query, positive: document, negatives, weight: Math.min(MOST_WEIGHT, 1 / place.examination) }];
    });
  });

/** For a fine-tune; what was looked at for less than `leastDwellMs`, where that is known, was not what was sought. */
export const trajectoriesOf = (answers: readonly ReceivedAnswer[], leastDwellMs = 0): Trajectory[] =>
  answers.flatMap(({ query, shown, clicks }): Trajectory[] => {
    const chosen = clicks.filter(({ dwellMs }) => dwellMs === null || dwellMs >= leastDwellMs);
    if (chosen.length === 0) return [];
    const documents = chosen.map(({ document }) => document);
    return [{ query, chosen: documents, ...(shown && { shown: shown.map(({ document }) => document) }) }];
  });

export interface ClickJudgement {
  readonly query: string;
  readonly document: string;
  /** 0: hardly anybody who looks takes it; 3: most do. */
  readonly grade: number;
  /** Probability that the grade is right, as far as clicks tell. */
  readonly confidence: number;
}

/** Attraction from which on a grade is given. */
const FROM = [0, 0.1, 0.3, 0.6, 1] as const;

export const judgementsFromClicks = (model: ClickModel): ClickJudgement[] =>
  model.attractions.map((attraction) => {
    const { query, document } = attraction;
    const [hits, misses] = widened(attraction);
    const below = (share: number): number => betaBelow(share, hits, misses);
    const chances = [0, 1, 2, 3].map((grade) => below(FROM[grade + 1] ?? 1) - below(FROM[grade] ?? 0));
    const confidence = Math.max(...chances);
    return { query, document, grade: chances.indexOf(confidence), confidence };
  });
