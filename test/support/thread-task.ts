import { defineTask } from '../../adapters/threads.ts';
import { PawlError } from '../../contracts/failures.ts';

type Order = 'count' | 'tick' | 'refuse' | 'break' | 'vanish' | 'spin';

export const odd = defineTask(
  import.meta.url,
  async (order: Order, report: (step: number) => void, tick: () => void): Promise<string> => {
    if (order === 'refuse') throw new PawlError('NoData', 'too little', { hint: 'Bring more.' });
    if (order === 'break') throw new TypeError('a defect');
    if (order === 'vanish') process.exit(3);
    for (let n = 0; order === 'tick' && n < 1_000; n++) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      tick();
    }
    for (let step = 1; step <= 3; step++) report(step);
    while (order === 'spin') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    return 'done';
  },
);
