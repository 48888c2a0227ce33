/** A trained adapter against its base model on held-out queries, in a thread of its own. */
import type { LoraConfig, TrainingPlan } from '../../contracts/lora.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { defineTask } from '../threads.ts';
import { type Judged, Ranking } from './ranking.ts';
import { adapterIn } from './trained-adapter.ts';

export interface ComparisonOrder {
  readonly model: string;
  readonly config: LoraConfig;
  readonly plan: TrainingPlan;
  /** Folder with the checkpoint. */
  readonly from: string;
  readonly judged: Judged;
}
/** NDCG@10 of each query. */
export interface Compared {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

export const comparison = defineTask(
  import.meta.url,
  async (order: ComparisonOrder, _report: (never: never) => void, tick: () => void): Promise<Compared> => {
    const { model, config, plan, from, judged } = order;
    const ranking = new Ranking(model, plan, adapterIn(from, openEncoder(model), config, plan), tick);
    try {
      return { before: await ranking.scores(judged, false), after: await ranking.scores(judged, true) };
    } finally {
      await ranking.close();
    }
  },
);
