/** What the loss of a bi-encoder is fed beside the embeddings. */
import type { TrainingPlan } from '../../contracts/lora.ts';
import type { Feed, Feeds } from '../session/session.ts';
import type { Batch } from './batch.ts';
import { candidatesOf, inBatchTargets, listsOf, listTargets, picking } from './targets.ts';

/** How many of a batch's rows pass through the adapter. Queries come first; documents that keep their vectors do not. */
export const encodedRows = ({ texts }: Batch, { side }: Pick<TrainingPlan, 'side'>): number =>
  side === 'both' ? texts.length : texts.filter((text) => text.side === 'query').length;

/** `documents`: their vectors, where they keep them. */
export function lossFeeds(batch: Batch, plan: TrainingPlan, documents: Feed | null): Feeds {
  const rows = encodedRows(batch, plan);
  const [before, outOf] = documents ? [rows, batch.texts.length - rows] : [0, rows];
  const picked = (list: readonly (number | null)[]): Feed =>
    picking(
      list.map((row) => (row === null ? null : row - before)),
      outOf,
    );
  const feeds = { 'pick.queries': picking(batch.queries, rows), ...(documents ? { documents } : {}) };
  return plan.loss === 'in-batch'
    ? { ...feeds, 'pick.candidates': picked(candidatesOf(batch)), ...inBatchTargets(batch) }
    : { ...feeds, 'pick.listed': picked(listsOf(batch)), ...listTargets(plan.loss, batch) };
}
