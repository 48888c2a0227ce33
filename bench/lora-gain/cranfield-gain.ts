/**
 * What 180 judged questions can teach: an adapter on queries, and a learned fusion of words and meaning.
 *
 * 1. Everything is chosen among the training queries of a fold (which step of the adapter, or none at all; which fusion).
 *    The fold's own queries are asked once, in the end.
 * 2. An adapter is taken only where its gain on the validation queries stands out of their noise: the best of three looks at
 *    45 queries is better than none by luck alone.
 * 3. Documents keep their vectors: 1,400 of them learned from 180 questions would forget more than they learn.
 */
import { pairedDifference } from '../../domain/bootstrap.ts';
import { folds } from '../../domain/held-out.ts';
import { mean } from '../../domain/intervals.ts';
import { type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import { tokens } from '../../domain/tokens.ts';
import { type SearchableCorpus, searchable } from '../../ml/rerank/candidates.ts';
import type { Vectors } from '../../ml/retrieval/exact.ts';
import { minedNegatives } from '../../ml/retrieval/mining.ts';
import type { GainEncoder } from './encoder.ts';
import { fuse, searchedBy } from './fusing.ts';
import { learn, PLAN, pairsOf } from './learning.ts';
import { type GainTask, textOf } from './task.ts';

const TOKENS = { stemming: true, splitIdentifiers: false } as const;
const NEGATIVES = { count: 7, skip: 0, ceiling: 0.95 } as const;
const INNER_FOLDS = 4;
const LOOK_EVERY = 20;

interface Setting {
  readonly folder: string;
  readonly encoder: GainEncoder;
  readonly seed: number;
  readonly progress: (line: string) => void;
}

/** NDCG@10 of every query of every fold, in the same order in each list. */
export interface CranfieldGain {
  readonly before: readonly number[];
  readonly adapted: readonly number[];
  readonly byWords: readonly number[];
  readonly unlearned: readonly number[];
  readonly fused: readonly number[];
  /** Choice → folds that made it. */
  readonly chosen: Readonly<Record<string, number>>;
}

interface Base {
  readonly ids: readonly string[];
  readonly corpus: SearchableCorpus;
  readonly asked: ReadonlyMap<string, Asked>;
}
type Asked = JudgedQuery & { readonly tokens: readonly string[]; readonly vector: Float32Array };

/** By the base model: once for all folds. */
export async function cranfieldBase(tasks: readonly GainTask[], encoder: GainEncoder): Promise<Base> {
  const [first] = tasks;
  if (!first) throw new RangeError('no folds');
  await encoder.use(null);
  const queries = tasks.flatMap(({ test }) => test);
  const vectors = await encoder.queries(queries);
  return {
    ids: first.documents.map(({ id }) => id),
    corpus: searchable({
      tokens: first.documents.map((document) => tokens(textOf(document), TOKENS)),
      titles: first.documents.map(({ title }) => tokens(title, TOKENS)),
      vectors: await encoder.documents(first),
    }),
    asked: new Map(
      queries.map((query, row) => [
        query.id,
        { ...query, tokens: tokens(query.text, TOKENS), vector: rowOf(vectors, row) },
      ]),
    ),
  };
}

export async function cranfieldGain(tasks: readonly GainTask[], base: Base, setting: Setting): Promise<CranfieldGain> {
  const { ids, corpus } = base;
  const { encoder, seed, progress } = setting;
  const all = { before: [] as number[], adapted: [] as number[], byWords: [] as number[] };
  const fusions = { unlearned: [] as number[], fused: [] as number[] };
  const chosen: Record<string, number> = {};
  for (const [fold, task] of tasks.entries()) {
    progress(`fold ${fold + 1} of ${tasks.length}`);
    await encoder.use(null);
    all.before.push(...(await encoder.scores(task, corpus.vectors)));
    all.byWords.push(...task.test.map((query) => scoreByWords(base, query)));

    const { scores, step } = await adaptedScores(task, base, setting);
    all.adapted.push(...scores);
    chosen[step] = (chosen[step] ?? 0) + 1;

    const searched = (queries: readonly JudgedQuery[]) =>
      searchedBy(
        corpus,
        queries.flatMap(({ id }) => base.asked.get(id) ?? []),
      );
    const { learned, unlearned, chosen: fusion } = await fuse(ids, searched(task.train), searched(task.test), seed);
    fusions.unlearned.push(...unlearned);
    fusions.fused.push(...learned);
    chosen[fusion] = (chosen[fusion] ?? 0) + 1;
  }
  return { ...all, ...fusions, chosen };
}

async function adaptedScores(task: GainTask, base: Base, { folder, encoder, seed, progress }: Setting) {
  const { ids, corpus, asked } = base;
  const [validation = [], ...learned] = folds(task.train, INNER_FOLDS, seed);
  const negativesOf = ({ id }: JudgedQuery): string[] => {
    const query = asked.get(id);
    return query ? minedNegatives({ ids, ...corpus }, query, NEGATIVES) : [];
  };
  const examples = pairsOf(task, learned.flat(), negativesOf);
  const seen: number[][] = [];
  const look = async (adapter: Parameters<GainEncoder['use']>[0]): Promise<number> => {
    await encoder.use(adapter);
    const scores = await encoder.scores(task, corpus.vectors, validation);
    seen.push(scores);
    return mean(scores);
  };
  const plan = { ...PLAN, seed, side: 'query' } as const;
  const adapter = await learn(folder, examples, plan, progress, { every: LOOK_EVERY, look });
  const reached = seen.map(mean);
  const at = reached.indexOf(Math.max(...reached));
  const isBetter = pairedDifference(seen[0] ?? [], seen[at] ?? [], { seed }).low > 0;
  await encoder.use(isBetter ? adapter : null);
  return {
    scores: await encoder.scores(task, corpus.vectors),
    step: isBetter ? `the adapter of step ${at * LOOK_EVERY}` : 'no adapter',
  };
}

function scoreByWords({ ids, corpus, asked }: Base, { id, judgements }: JudgedQuery): number {
  const scores = corpus.bm25.scores(asked.get(id)?.tokens ?? []);
  const best = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
  return ndcg(
    best.slice(0, 10).map((row) => ids[row] ?? ''),
    judgements,
  );
}

const rowOf = ({ data, dimensions }: Vectors, row: number): Float32Array =>
  data.slice(row * dimensions, (row + 1) * dimensions);
