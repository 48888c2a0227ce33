/**
 * An order of the best candidates that judged queries teach.
 *
 * It is measured on queries that it did not learn from (five folds), and the network that is kept has learned from all of
 * them: whoever keeps it decides by what was measured.
 */
import { type Difference, pairedDifference } from '../domain/bootstrap.ts';
import { LEAST_QUERIES } from '../domain/fusion-choice.ts';
import { folds } from '../domain/held-out.ts';
import { type JudgedQuery, ndcg } from '../domain/rank-metrics.ts';
import { tokens } from '../domain/tokens.ts';
import type { Network } from '../ml/network/network.ts';
import { featuresOf } from '../ml/rerank/features.ts';
import { type FusionPlan, openFusion, trainFusion } from '../ml/rerank/fusion.ts';
import type { AskedQuery, Candidate, RerankContext } from './reranker.ts';

/** A judged query with what a reranker is given of it. */
export interface ShownQuery {
  readonly id: string;
  readonly query: JudgedQuery;
  readonly vector: Float32Array | null;
  /** Best first. */
  readonly candidates: readonly Candidate[];
  /** Documents that come after them. */
  readonly rest: readonly string[];
}

export interface LearnedOrder {
  readonly network: Network;
  /** NDCG@10 of each query, by the fold that did not learn from it. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly gain: Difference;
}

const FOLDS = 5;
const PLAN: Omit<FusionPlan, 'seed'> = {
  ...{ hidden: [], loss: 'lambdarank', steps: 80, batch: 32, learningRate: 0.03 },
  ...{ warmup: 5, decay: 'linear', weightDecay: 0.01, clip: 1 },
};

/** What a reranker is told of each candidate. */
export const candidateFeatures = (
  { text, vector }: AskedQuery,
  candidates: readonly Candidate[],
  { tokenising, legDepth }: RerankContext,
): number[][] => {
  const sources = candidates.map(({ chunk, lexical, dense }) => {
    const title = tokens([chunk.title, ...chunk.headings].join(' '), tokenising);
    const all = [...title, ...tokens(chunk.text, tokenising)];
    return { lexical, dense, title, tokens: all, vector: chunk.vector };
  });
  return featuresOf({ tokens: tokens(text, tokenising), vector }, sources, legDepth + 1);
};

/** null: too few queries to learn from. */
export async function learnOrder(
  shown: readonly ShownQuery[],
  how: RerankContext,
  { seed, tell }: { readonly seed: number; readonly tell: (line: string) => void },
): Promise<LearnedOrder | null> {
  if (shown.length < LEAST_QUERIES) return null;
  const lists = new Map(shown.map((one) => [one, listOf(one, how)]));
  const train = (some: readonly ShownQuery[]): Promise<Network> =>
    trainFusion(
      some.flatMap((one) => lists.get(one) ?? []),
      { ...PLAN, seed },
    );
  const [before, after]: [number[], number[]] = [[], []];
  for (const [at, held] of folds(shown, FOLDS, seed).entries()) {
    tell(`learning an order: fold ${at + 1} of ${FOLDS}`);
    const order = await openFusion(await train(shown.filter((one) => !held.includes(one))));
    for (const one of held) {
      const { judgements } = one.query;
      before.push(ndcg(documentsOf(one), judgements));
      const scores = await order.scores(lists.get(one)?.features ?? []);
      after.push(ndcg(documentsOf({ ...one, candidates: byScore(one.candidates, scores) }), judgements));
    }
    await order.close();
  }
  return { network: await train(shown), before, after, gain: pairedDifference(before, after, { seed }) };
}

/** Of equal scores the one that stood before stays before. */
export const byScore = <T>(candidates: readonly T[], scores: Float32Array): T[] =>
  candidates
    .map((one, at) => ({ one, at, score: scores[at] ?? Number.NEGATIVE_INFINITY }))
    .sort((a, b) => b.score - a.score || a.at - b.at)
    .map(({ one }) => one);

const listOf = ({ query, vector, candidates }: ShownQuery, how: RerankContext) => ({
  features: candidateFeatures({ text: query.text, vector }, candidates, how),
  grades: candidates.map(({ chunk }) => Math.max(0, query.judgements[chunk.document] ?? 0)),
});

const documentsOf = ({ candidates, rest }: Pick<ShownQuery, 'candidates' | 'rest'>): string[] => [
  ...new Set([...candidates.map(({ chunk }) => chunk.document), ...rest]),
];
