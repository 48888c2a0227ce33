/**
 * In which order the examples are seen.
 *
 * 1. An epoch is a permutation of all examples, cut into batches. What is left over, less than a batch, sits out this epoch.
 * 2. The batch of a step follows from the seed and the step alone, so training goes on at any step without a history.
 */
import { PawlError } from '../../contracts/failures.ts';
import { hash32, seeded } from '../../domain/random.ts';

export interface Ordering {
  readonly examples: number;
  readonly batch: number;
  readonly seed: number;
}

/** Positions of the examples of each step. */
export function orderOf({ examples, batch, seed }: Ordering): (step: number) => Uint32Array {
  if (examples === 0) {
    throw new PawlError('NoData', 'There is no example to train on.', {
      hint: 'Give a file with at least one line such as {"query": "…", "positive": "…"}.',
    });
  }
  if (batch > examples) {
    throw new PawlError('ConfigInvalid', `A batch is ${batch} examples, and there are ${examples}.`, {
      hint: `Set the plan's batch to ${examples} or less, or give more examples.`,
    });
  }
  const perEpoch = Math.floor(examples / batch);
  let known = { epoch: -1, order: new Uint32Array() };
  return (step) => {
    const epoch = Math.floor(step / perEpoch);
    if (known.epoch !== epoch) known = { epoch, order: permutation(examples, hash32(`order:${seed}:${epoch}`)) };
    const from = (step % perEpoch) * batch;
    return known.order.slice(from, from + batch);
  };
}

/** Fisher and Yates. */
function permutation(length: number, seed: number): Uint32Array<ArrayBuffer> {
  const random = seeded(seed);
  const order = Uint32Array.from({ length }, (_, position) => position);
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
