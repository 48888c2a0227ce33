/** What a fix knows and sees, from a real ledger. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createFastLookActivities, createRemediationActivities } from '../../activities/remediation.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { Gate, Vitals } from '../../contracts/vitals.ts';
import { addVariant, ERRORS, promoteTo } from '../support/fixes.ts';
import { challengerOf, championOf, registerService } from '../support/world.ts';

const SERVICE = 'docs';
const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const [gold, first] = [championOf(SERVICE), challengerOf(SERVICE)];

const vitalsOf = (variant: string | null, readings: Record<string, number>, n = 100): Vitals => ({
  ...{ service: SERVICE, variant, from: '', to: '' },
  readings: Object.fromEntries(
    Object.entries(readings).map(([metric, value]) => [metric, { value, n, low: value, high: value }]),
  ),
});

const scene = async () => {
  const control = sqliteControl(':memory:');
  onTestFinished(() => control.close());
  await registerService(control, SERVICE);
  const config = async () => {
    throw new Error('there is no pawl.yaml here');
  };
  const deps = { control, services: { config }, variables: {}, now: () => NOW };
  const reads: Array<{ from: number; to: number; variant?: string }> = [];
  const read = async (window: { from: number; to: number; variant?: string }) => {
    reads.push(window);
    return vitalsOf(window.variant ?? null, { errors: 0.3, latency: 50 });
  };
  const { lookForBreach } = createFastLookActivities({ ...deps, vitals: { read: async (window) => read(window) } });
  return { control, reads, lookForBreach, ...createRemediationActivities(deps) };
};

test('it knows who was champion before, what that cost, and how good it was', async () => {
  const { control, readFixFacts } = await scene();
  const second = await addVariant(control, SERVICE, 'second');
  await promoteTo(control, SERVICE, first);
  await promoteTo(control, SERVICE, second);
  await control.setBaseline({ key: 'a', variant: first, vitals: vitalsOf(first, { cost: 0.2, ndcg: 0.5 }) });
  await control.setBaseline({ key: 'b', variant: second, vitals: vitalsOf(second, { 'ndcg-from-clicks': 0.4 }) });
  expect(await readFixFacts({ service: SERVICE })).toEqual({
    champion: { variant: second, cost: null, quality: 0.4 },
    gold,
    back: [
      { variant: first, cost: 0.2, quality: 0.5 },
      { variant: gold, cost: null, quality: null },
    ],
    decided: null,
    past: [],
  });
});

test('it knows what was tried before, the newest last', async () => {
  const { control, readFixFacts } = await scene();
  const row = { service: SERVICE, kind: 'fix ended', actor: { kind: 'fix', name: 'fx' }, reason: '' };
  for (const [n, remedy] of ['restart', 'gold'].entries()) {
    const body = { outcome: 'remedied', symptoms: ['errors'], tried: [{ remedy, result: 'helped', tookMs: 1 }] };
    await control.note({ ...row, key: `${n}`, cycle: `fx_2026_11_21_00${n + 1}`, body });
  }
  const { past } = await readFixFacts({ service: SERVICE });
  expect(past.map(({ tried }) => tried[0]?.remedy)).toEqual(['restart', 'gold']);
});

test('it knows which decision of a person made the champion what it is', async () => {
  const { readFixFacts } = await scene();
  expect((await readFixFacts({ service: SERVICE })).decided).toContain('gold');
});

describe('a quick look', () => {
  const drop: Gate = { ...ERRORS, name: 'ndcg', metric: 'ndcg', rule: { drop: 0.03 } };

  test('is at the gates with an absolute limit, over what the champion has served', async () => {
    const { lookForBreach, reads } = await scene();
    const { champion, findings } = await lookForBreach({ service: SERVICE, gates: [ERRORS, drop] });
    expect(champion).toBe(gold);
    expect(findings).toMatchObject([{ gate: 'errors', state: 'breach', value: 0.3, limit: 0.05, withinMs: 60_000 }]);
    expect(reads).toMatchObject([{ variant: gold, from: NOW - 60_000, to: NOW }]);
  });

  test('sees nothing from before the moment that it is told', async () => {
    const { lookForBreach, reads } = await scene();
    const since = new Date(NOW - 5_000).toISOString();
    await lookForBreach({ service: SERVICE, gates: [ERRORS], since, champion: first });
    expect(reads).toMatchObject([{ variant: first, from: NOW - 5_000 }]);
  });

  test('sees nothing from before the last fix has ended: that is what the fix was about', async () => {
    const { control, lookForBreach, reads } = await scene();
    const row = { service: SERVICE, cycle: 'fx_2026_11_21_001', kind: 'fix ended', reason: '' };
    await control.note({ ...row, key: 'end', actor: { kind: 'fix', name: 'fx' }, body: {} });
    const [end] = await control.ledger({ kind: 'fix ended' });
    await lookForBreach({ service: SERVICE, gates: [ERRORS] });
    expect(reads[0]?.from).toBe(Math.min(NOW, Math.max(NOW - 60_000, Date.parse(end?.at ?? ''))));
  });

  test('finds nothing in a service that nobody knows', async () => {
    const { lookForBreach } = await scene();
    expect(await lookForBreach({ service: 'nobody', gates: [ERRORS] })).toEqual({ champion: null, findings: [] });
  });
});
