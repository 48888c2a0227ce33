/** The gradient of a cross-encoder's batch: each list stands for itself, so parts of the batch simply add up. */
import { tokenFeeds } from '../encoder/tokens.ts';
import { dropoutFeeds } from '../lora/dropout.ts';
import type { Feeds } from '../session/session.ts';
import type { Batch } from './batch.ts';
import { type Engine, type EngineOptions, gradientOutputs, open, run } from './engine.ts';
import { addTo } from './gradient.ts';
import { rerankerGraph } from './graphs.ts';
import type { ListLoss } from './losses.ts';
import { checkMemory } from './memory.ts';
import { stepSeed } from './step-seed.ts';
import { listsOf, listTargets, picking } from './targets.ts';
import { lengthsOf, packed } from './token-rows.ts';

export async function reranker(options: EngineOptions): Promise<Engine> {
  const { plan, layout, gradient } = options;
  const session = await open(rerankerGraph(options), options);
  const part = new Float32Array(layout.size);
  const into = gradientOutputs(layout, part);
  return {
    compute: async (batch) => {
      const size = plan.microBatch ?? plan.batch;
      const queries = batch.queries.length;
      let sum = 0;
      gradient.fill(0);
      for (let from = 0; from < queries; from += size) {
        const feeds = partFeeds(batch, from, Math.min(from + size, queries), options);
        const { loss } = await run(session, feeds, into, options);
        sum += loss?.data[0] as number;
        addTo(gradient, part);
        if (from + size < queries) options.onPart();
      }
      return sum;
    },
    close: () => session.close(),
  };
}

/** Of the lists from `from` up to `to`: every pair of a query and one of its candidates is a row. */
const partFeeds = (batch: Batch, from: number, to: number, options: EngineOptions): Feeds => {
  const { plan, layout, parameters, shape, tokens } = options;
  const textAt = (row: number | undefined): string => batch.texts[row ?? -1]?.text ?? '';
  const pairs: [string, string][] = [];
  const lists = batch.lists
    .slice(from, to)
    .map((list, n) => list.map((row) => pairs.push([textAt(batch.queries[from + n]), textAt(row)]) - 1));
  const part: Batch = { ...batch, lists, grades: batch.grades.slice(from, to) };
  const rows = tokens.rows(pairs, plan.lengths.query + plan.lengths.document);
  checkMemory(lengthsOf(rows), options);
  const packedRows = packed(rows);
  return {
    ...layout.feeds(parameters),
    ...tokenFeeds(packedRows),
    ...dropoutFeeds(shape, packedRows.ids.length, stepSeed(plan.seed, batch.step, from)),
    'pick.listed': picking(listsOf(part), pairs.length),
    ...listTargets(plan.loss as ListLoss, part, batch.queries.length),
  };
};
