import { expect } from 'vitest';
import type { LedgerRow } from '../../contracts/ledger.ts';
import type { TrafficChange } from '../../contracts/traffic.ts';

/** Whether each change of a service that was done might have been done, held against the rows before it and nothing else. */
export const fenced = (rows: readonly LedgerRow[]): void => {
  let now = { epoch: 0, promotion: 0, latch: 'disarmed' };
  for (const { kind, body } of rows) {
    const { outcome, token } = body as { outcome?: string; token?: TrafficChange['token'] };
    if (outcome !== 'done') continue;
    const { epoch, promotion, latch } = now;
    if (kind === 'shift') expect({ ...token, latch }).toEqual({ epoch, promotion, latch: 'armed' });
    if (kind === 'grant') now = { ...now, promotion: promotion + 1 };
    if (kind === 'kill') now = { ...now, epoch: epoch + 1, latch: 'killed' };
    if (kind === 'arm') now = { ...now, latch: 'armed' };
    if (kind === 'grant' || kind === 'kill') expect(body.state).toMatchObject(now);
  }
};

/** The numbers that were given with the traffic lane: each once, in their order. */
export const grantedOnce = (rows: readonly LedgerRow[]): void => {
  const granted = rows.filter(({ kind, body }) => kind === 'grant' && body.outcome === 'done');
  const numbers = granted.map(({ body }) => (body.state as { promotion: number }).promotion);
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
};
