import { describe, expect, test } from 'vitest';
import type { LedgerRow } from '../../contracts/ledger.ts';
import type { Actor, ServiceState } from '../../contracts/traffic.ts';
import { championChanges, personsDecision, waysBack } from '../../domain/champions.ts';

const ada: Actor = { kind: 'person', name: 'ada' };
const pawl: Actor = { kind: 'cycle', name: 'si' };
const FIX = 'fx_2026_11_21_001';

interface Steps {
  readonly rows: LedgerRow[];
  registered(variant: string): Steps;
  promoted(variant: string): Steps;
  split(variant: string): Steps;
  fixed(variant: string): Steps;
  killed(variant: string): Steps;
  refused(variant: string): Steps;
  armed(): Steps;
  rearmed(): Steps;
  admitted(actor: Actor): Steps;
}

/** A ledger of champions, written as a list of steps. */
const ledger = (): Steps => {
  const rows: LedgerRow[] = [];
  const row = (kind: string, body: Record<string, unknown>, cycle: string | null, actor: Actor) => {
    const seq = rows.length + 1;
    rows.push({ seq, at: '', service: 'docs', cycle, kind, actor, reason: '', body, prev: '', hash: '' });
  };
  const champion =
    (kind: string, cycle: string | null = null, actor = pawl) =>
    (variant: string) => {
      row(kind, { outcome: 'done', state: { champion: variant } }, cycle, actor);
      return steps;
    };
  const armedFrom = (latch: ServiceState['latch']) => {
    row('arm', { outcome: 'done', state: null, before: { latch } }, null, ada);
    return steps;
  };
  const steps: Steps = {
    rows,
    registered: champion('register'),
    promoted: champion('shift', 'si_2026_11_21_001'),
    split: champion('shift', 'si_2026_11_21_009'),
    fixed: champion('shift', FIX),
    killed: champion('kill', null, ada),
    refused: (variant: string) => {
      row('shift', { outcome: 'refused', champion: variant, state: null }, 'si_2026_11_21_002', pawl);
      return steps;
    },
    armed: () => armedFrom('disarmed'),
    rearmed: () => armedFrom('killed'),
    admitted: (actor: Actor) => {
      row('fix admitted', {}, FIX, actor);
      return steps;
    },
  };
  return steps;
};
const back = ({ rows }: { rows: readonly LedgerRow[] }) => waysBack(championChanges(rows));

describe('the ways back', () => {
  test.each([
    ['of a service that was just registered are none', ledger().registered('a'), []],
    [
      'lead to the champions before, the nearest first',
      ledger().registered('a').promoted('b').promoted('c'),
      ['b', 'a'],
    ],
    ['pass over a change that the store refused', ledger().registered('a').refused('b').promoted('c'), ['a']],
    ['take no note of traffic that leaves the champion', ledger().registered('a').promoted('b').split('b'), ['a']],
    [
      'never lead to one that a fix has left as broken',
      ledger().registered('a').promoted('b').promoted('c').fixed('b'),
      ['a'],
    ],
    ['are gone where a fix went back to the first', ledger().registered('a').promoted('b').fixed('a'), []],
    ['never lead to one that was killed', ledger().registered('a').promoted('b').promoted('c').killed('a'), []],
    [
      'lead past the broken one where a kill brought gold that was never champion',
      ledger().registered('a').promoted('b').killed('g'),
      ['a'],
    ],
    ['name nobody twice', ledger().registered('a').promoted('b').promoted('a').promoted('c'), ['a', 'b']],
  ])('%s', (_, steps, expected) => expect(back(steps)).toEqual(expected));
});

describe('a person has decided', () => {
  const decided = (steps: { rows: readonly LedgerRow[] }, champion: string, gold: string | null = null) =>
    personsDecision(steps.rows, { champion, gold });
  const promoted = () => ledger().registered('a').armed().promoted('b');

  test('nothing about what a cycle has promoted, however it was approved', () =>
    expect(decided(promoted(), 'b', 'a')).toBeNull());
  test('where the champion is gold', () => expect(decided(promoted(), 'b', 'b')).toContain('gold'));
  test('where somebody armed the service since', () =>
    expect(decided(promoted().rearmed(), 'b', 'a')).toContain('ada has armed'));
  test('nothing where the service was rearmed before it became champion', () =>
    expect(decided(ledger().registered('a').rearmed().promoted('b'), 'b', 'a')).toBeNull());
  test('nothing by arming the service for the first time', () =>
    expect(decided(ledger().registered('a').armed(), 'a', 'g')).toBeNull());
  test('where a person went back to it', () =>
    expect(decided(promoted().admitted(ada).fixed('a'), 'a')).toContain('ada went back to it'));
  test('nothing where a fix went back by itself', () =>
    expect(decided(promoted().admitted(pawl).fixed('a'), 'a')).toBeNull());
  test('nothing where the ledger knows of another champion', () => expect(decided(promoted(), 'x', 'x')).toBeNull());
});
