/** A workflow that does nothing but call activities, one after the other; and, where it is asked to, one part more. */
import {
  CancellationScope,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { BARE_DATA_QUEUE, BARE_QUEUE, type BareInput } from './sides.ts';

interface NoOp {
  noop(input: { readonly payload: string }): Promise<{ readonly done: true }>;
}
const here = proxyActivities<NoOp>({ taskQueue: BARE_QUEUE, startToCloseTimeout: '10s' });
const elsewhere = proxyActivities<NoOp>({ taskQueue: BARE_DATA_QUEUE, startToCloseTimeout: '10s' });

export async function bare(input: BareInput): Promise<void> {
  const timers = new CancellationScope();
  for (let n = 0; n < input.timers; n++) void timers.run(() => sleep('1h')).catch(ignoreCancellation);
  const calls = Math.max(input.here, input.elsewhere, input.upserts, input.details);
  for (let n = 0; n < calls; n++) {
    if (n < input.upserts) upsertSearchAttributes([{ key: searchAttributes.stage, value: 'monitor' }]);
    if (n < input.details) setCurrentDetails(`- **monitor** done after ${n} s\n`.repeat(n));
    if (n < input.here) await here.noop({ payload: '' });
    if (n < input.elsewhere) await elsewhere.noop({ payload: input.payload });
  }
  timers.cancel();
}

const ignoreCancellation = (error: unknown): void => {
  if (!isCancellation(error)) throw error;
};
