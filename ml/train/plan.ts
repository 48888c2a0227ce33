/** Plans that cannot be followed, told before anything is computed. */
import { PawlError } from '../../contracts/failures.ts';
import type { TrainingPlan } from '../../contracts/lora.ts';

interface Rule {
  readonly broken: (plan: TrainingPlan) => boolean;
  readonly says: (plan: TrainingPlan) => string;
  readonly hint: string;
}

const RULES: readonly Rule[] = [
  {
    broken: ({ component, loss }) => component === 'reranker' && (loss === 'in-batch' || loss === 'cosine'),
    says: ({ loss }) => `The loss ${loss} compares embeddings, and a reranker has none.`,
    hint: 'Train it with ranknet, lambdarank or mse.',
  },
  {
    broken: ({ component, side }) => component === 'reranker' && side === 'query',
    says: () => 'A reranker reads query and document together, so it has no side of its own for queries.',
    hint: "Set the plan's side to both.",
  },
  {
    broken: ({ batch, microBatch }) => ![batch, microBatch ?? 1].every((size) => Number.isInteger(size) && size > 0),
    says: ({ batch, microBatch }) =>
      `batch ${batch} and microBatch ${microBatch ?? 'none'} must be whole numbers above 0.`,
    hint: 'A batch of 32 and no microBatch suit most machines.',
  },
  {
    broken: ({ loss, batch }) => loss === 'in-batch' && batch < 2,
    says: () => 'A batch of one example has no negatives in it.',
    hint: 'Set batch to 2 or more: the other examples of a batch are the negatives.',
  },
];

export function checkPlan(plan: TrainingPlan): void {
  const rule = RULES.find(({ broken }) => broken(plan));
  if (rule) throw new PawlError('ConfigInvalid', rule.says(plan), { hint: rule.hint });
}
