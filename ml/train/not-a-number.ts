/** Training came to a loss or a gradient that is no number. Nothing was changed by that step: the checkpoint before it is good. */
import { PawlError } from '../../contracts/failures.ts';

export class NotANumber extends PawlError {
  readonly step: number;
  /** Positions in the data set of what the batch held. */
  readonly examples: readonly number[];

  constructor(what: 'loss' | 'gradient', value: number, step: number, examples: readonly number[]) {
    super(
      'ConfigInvalid',
      `The ${what} of step ${step + 1} is ${value}. Its batch was the examples ${examples.join(', ')}.`,
      {
        hint: 'The last checkpoint is good. Lower learningRate or scale, or look at those examples (lines of the data, from 0).',
      },
    );
    this.step = step;
    this.examples = examples;
  }
}
