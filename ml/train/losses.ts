/**
 * What is made small. Every loss is a sum with weights that the batch brings (see targets.ts): they hold the mean over the
 * queries and leave out what does not count, so parts of a batch add up to the whole.
 */
import type { LoraLoss } from '../../contracts/lora.ts';
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';

/** Added to the similarity of a candidate that does not count: nothing is left of it after the softmax. */
const LEFT_OUT = -1e9;

export type ListLoss = Exclude<LoraLoss, 'in-batch'>;

/** Every query against every candidate of the batch; the similarities are [queries, candidates]. */
export function inBatchLoss(g: Graph, similarities: Tensor): Tensor {
  const shape = similarities.shape;
  // 1 over the number of queries where a candidate is the query's own positive, else 0.
  const own = g.input('target.own', shape);
  // 0 where a candidate counts, 1 where it does not.
  const excluded = g.input('target.excluded', shape);
  const logits = g.add(similarities, g.mul(excluded, LEFT_OUT));
  return g.neg(total(g, g.mul(g.logSoftmax(logits), own)));
}

/** Every query against a list of its own. `scoresOf` makes the scores [queries, list], sizes that can then be read off inputs. */
export function listLoss(g: Graph, loss: ListLoss, scoresOf: () => Tensor): Tensor {
  if (loss === 'ranknet' || loss === 'lambdarank') {
    const pairs = g.input('target.pairs', ['queries', 'list', 'list']);
    const scores = scoresOf();
    return pairLoss(g, scores, loss === 'ranknet' ? pairs : g.mul(pairs, ndcgDeltas(g, g.stop(scores))));
  }
  const grades = g.input('target.grades', ['queries', 'list']);
  const weights = g.input('target.weights', ['queries', 'list']);
  const differences = g.sub(scoresOf(), grades);
  return total(g, g.mul(g.mul(differences, differences), weights));
}

/**
 * RankNet (Burges et al., 2005): the cross-entropy of 'i is better than j', for the pairs that have a weight.
 * With the change of NDCG as a weight it is LambdaRank (Burges et al., 2006).
 */
function pairLoss(g: Graph, scores: Tensor, pairs: Tensor): Tensor {
  return total(g, g.mul(g.softplus(g.neg(differencesOf(g, scores))), pairs));
}

/** By how much NDCG changes where i and j change places, [queries, list, list]. Of equal scores the later one ranks first. */
function ndcgDeltas(g: Graph, scores: Tensor): Tensor {
  // (2^grade - 1) / the best DCG of the list.
  const gains = g.input('target.gains', ['queries', 'list']);
  const present = g.input('target.present', ['queries', 'list']);
  const positions = g.input('target.positions', [1, 'list']);
  // 1 where i ranks before j, -1 where after, 0 on the diagonal.
  const order = g.sign(g.add(g.mul(g.sign(differencesOf(g, scores)), 2), g.sign(differencesOf(g, positions))));
  const before = g.mul(g.relu(g.neg(order)), g.unsqueeze(present, [1]));
  const rank = g.add(g.sum(before, [2], false), 1);
  const discount = g.div(g.scalar(Math.LN2), g.log(g.add(rank, 1)));
  const deltas = g.mul(differencesOf(g, gains), differencesOf(g, discount));
  return g.mul(deltas, g.sign(deltas));
}

/** x_i - x_j for all i and j of a list. */
const differencesOf = (g: Graph, x: Tensor): Tensor => g.sub(g.unsqueeze(x, [2]), g.unsqueeze(x, [1]));

const total = (g: Graph, x: Tensor): Tensor =>
  g.sum(
    x,
    x.shape.map((_, axis) => axis),
    false,
  );
