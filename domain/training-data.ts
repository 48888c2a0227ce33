/**
 * What is trained on, and what it is measured with.
 *
 * 1. A query stands on one side only: all its examples are trained on, or all are validated on, or all are held out.
 * 2. On which side is decided by the seed and the query's words alone: it stays there when other examples come or go.
 * 3. Nothing of what is held out is learned from, nor anything nearly the same. That holds of the documents too, unless they
 *    are shared by nature: where a service's queries are over one corpus, what many of them want is on both sides.
 * 4. The validation decides when to stop and which checkpoint is kept. The held-out queries decide nothing before the end.
 */
import type { HeldOutQuery, TrainingExample } from '../contracts/lora.ts';
import { apartFrom } from './near-duplicates.ts';
import { hash32 } from './random.ts';
import { normalised } from './tokens.ts';

export interface CorpusText {
  readonly id: string;
  readonly text: string;
}
export interface Measured {
  readonly queries: readonly HeldOutQuery[];
  readonly corpus: readonly CorpusText[];
}
export interface SplitExamples {
  readonly train: readonly TrainingExample[];
  readonly validation: Measured;
  readonly heldOut: Measured;
  /** Reason → how many examples went for it. */
  readonly dropped: Readonly<Record<string, number>>;
}

const HELD_OUT = 0.2;
const VALIDATED = 0.1;
/** The validation is repeated after every leg: so many queries and documents tell two checkpoints apart. */
const MOST_VALIDATED = 200;
const MOST_VALIDATION_DOCUMENTS = 2_000;

/** `given`: what a service holds out by itself; without it a share of the examples is. `shared`: documents are (3). */
export function splitExamples(
  examples: readonly TrainingExample[],
  seed: number,
  given: Measured | null = null,
  shared = given !== null,
): SplitExamples {
  const usable = examples.flatMap(cleaned);
  const distinct = withoutRepeats(usable);
  const sides = Map.groupBy(distinct, ({ query }) => sideOf(query, seed, given === null));
  const learned = sides.get('train') ?? [];
  const heldOut = given ?? measuredBy(sides.get('held out') ?? [], distinct);
  const apart = apartFromHeldOut(learned, heldOut, !shared);

  const candidates = (sides.get('validation') ?? []).slice(0, MOST_VALIDATED);
  const validation = smaller(measuredBy(candidates, distinct), seed);
  const train = withoutLeaks(apart, textsOf(validation.queries), ({ query }) => query);
  return {
    train,
    validation,
    heldOut,
    dropped: counted({
      'no words in the query or the positive': examples.length - usable.length,
      'the same query and positive again': usable.length - distinct.length,
      'nearly the same as something held out': learned.length - apart.length,
      'nearly the same as a query of the validation': apart.length - train.length,
    }),
  };
}

/** Negatives that say the same as the positive would teach the opposite of it. */
const cleaned = (example: TrainingExample): TrainingExample[] => {
  const { query, positive, negatives, grades } = example;
  const same = normalised(positive);
  if (normalised(query) === '' || same === '') return [];
  if (!negatives) return [example];
  const kept = negatives.flatMap((text, at) => (normalised(text) === same ? [] : [{ text, grade: grades?.[at + 1] }]));
  if (kept.length === negatives.length) return [example];
  return [
    {
      query,
      positive,
      ...(kept.length > 0 && { negatives: kept.map(({ text }) => text) }),
      ...(kept.length > 0 && grades && { grades: [grades[0] ?? 1, ...kept.map(({ grade }) => grade ?? 0)] }),
    },
  ];
};

const withoutRepeats = (examples: readonly TrainingExample[]): TrainingExample[] => {
  const seen = new Set<string>();
  return examples.filter(({ query, positive }) => {
    const key = `${normalised(query)}\n${normalised(positive)}`;
    return !seen.has(key) && seen.add(key);
  });
};

type Side = 'train' | 'validation' | 'held out';

/** Queries that differ in case, accents or punctuation only are one query. */
const sideOf = (query: string, seed: number, holdingOut: boolean): Side => {
  const place = hash32(`${seed}:${normalised(query)}`) / 2 ** 32;
  const held = holdingOut ? HELD_OUT : 0;
  return place < held ? 'held out' : place < held + VALIDATED ? 'validation' : 'train';
};

/** Queries with their positives as relevant documents, searched among all texts of all examples. */
const measuredBy = (examples: readonly TrainingExample[], all: readonly TrainingExample[]): Measured => {
  const texts = new Set(all.flatMap(({ positive, negatives = [] }) => [positive, ...negatives]));
  const corpus = [...texts].map((text, at) => ({ id: `d${at + 1}`, text }));
  const idOf = new Map(corpus.map(({ id, text }) => [text, id]));
  const byQuery = Map.groupBy(examples, ({ query }) => normalised(query));
  const queries = [...byQuery.values()].map(
    (group): HeldOutQuery => ({
      query: group[0]?.query ?? '',
      relevant: Object.fromEntries(group.map(({ positive }) => [idOf.get(positive) ?? '', 1])),
    }),
  );
  return { queries, corpus: queries.length === 0 ? [] : corpus };
};

/** The relevant documents of its queries, and so many others as the seed takes. */
const smaller = ({ queries, corpus }: Measured, seed: number): Measured => {
  const relevant = new Set(queries.flatMap(({ relevant }) => Object.keys(relevant)));
  const others = corpus.filter(({ id }) => !relevant.has(id));
  const key = ({ text }: CorpusText): number => hash32(`${seed}:${text}`);
  const room = Math.max(0, MOST_VALIDATION_DOCUMENTS - relevant.size);
  const taken = new Set(
    [...others]
      .sort((a, b) => key(a) - key(b))
      .slice(0, room)
      .map(({ id }) => id),
  );
  return { queries, corpus: corpus.filter(({ id }) => relevant.has(id) || taken.has(id)) };
};

const apartFromHeldOut = (
  learned: readonly TrainingExample[],
  { queries, corpus }: Measured,
  documentsToo: boolean,
): readonly TrainingExample[] => {
  const apart = withoutLeaks(learned, textsOf(queries), ({ query }) => query);
  if (!documentsToo) return apart;
  const relevant = new Set(queries.flatMap(({ relevant }) => Object.keys(relevant)));
  const answers = corpus.filter(({ id }) => relevant.has(id)).map(({ text }) => text);
  return withoutLeaks(apart, answers, ({ positive }) => positive);
};

const textsOf = (queries: readonly HeldOutQuery[]): string[] => queries.map(({ query }) => query);

/** The same words make one shingle where there are few of them, so that short texts are compared as well. */
const withoutLeaks = (
  examples: readonly TrainingExample[],
  others: readonly string[],
  textOf: (example: TrainingExample) => string,
): readonly TrainingExample[] => {
  const items = examples.map((example) => ({ text: textOf(example), example }));
  const known: Array<{ text: string; example: TrainingExample | null }> = others.map((text) => ({
    text,
    example: null,
  }));
  return apartFrom<{ text: string; example: TrainingExample | null }>(items, known, ({ text }) => text).flatMap(
    ({ example }) => example ?? [],
  );
};

const counted = (reasons: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(reasons).filter(([, count]) => count > 0));
