import { describe, expect, test } from 'vitest';
import type { FixFacts, PastFix, RemediationPlan, Remedy } from '../../contracts/remediation.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { GateFinding } from '../../contracts/vitals.ts';
import {
  breachOver,
  courseOf,
  type FixAdmissionFacts,
  promisesOf,
  symptomsOf,
  whyNotFix,
} from '../../domain/remediation.ts';

const schedule = { requestedBy: { kind: 'schedule', name: 'fast' } };
const ada = { requestedBy: { kind: 'person', name: 'ada' } };
const one = (variant: string, cost: number | null = null, quality: number | null = null) => ({
  variant,
  cost,
  quality,
});
const url = { url: 'https://a.example', timeoutMs: 1_000 };
const hooks: RemediationPlan['hooks'] = { restart: url, scale: url };
const facts = (over: Partial<FixFacts> = {}): FixFacts => ({
  champion: one('c', 10, 0.5),
  gold: 'g',
  back: [one('b', 10, 0.5), one('a', 8, 0.5)],
  decided: null,
  past: [],
  ...over,
});
const course = (
  over: Partial<FixFacts> = {},
  { symptoms = ['latency'], remedies = {}, by = schedule, only = undefined as Remedy | undefined, hook = hooks } = {},
) => courseOf({ ...by, ...(only && { only }) }, symptoms, { remedies, hooks: hook }, facts(over));
const remediesIn = (found: ReturnType<typeof courseOf>) => found.steps.map(({ remedy }) => remedy);
const over = (found: ReturnType<typeof courseOf>, remedy: Remedy) =>
  found.passedOver.find((one) => one.remedy === remedy)?.because;

describe('the remedies', () => {
  test('are tried from what changes least to what changes most', () =>
    expect(course().steps).toEqual([
      { remedy: 'restart', variant: null },
      { remedy: 'scale', variant: null },
      { remedy: 'cheaper', variant: 'a' },
      { remedy: 'previous', variant: 'b' },
      { remedy: 'gold', variant: 'g' },
    ]));
  test('are those of the plan for the symptom', () => {
    const remedies = { latency: ['gold', 'restart'], errors: ['previous'] };
    expect(remediesIn(course({}, { remedies }))).toEqual(['gold', 'restart']);
  });
  test('for several symptoms are those of the first, then what the others ask for beyond them', () => {
    const remedies = { latency: ['scale', 'gold'], errors: ['restart', 'gold'] };
    expect(remediesIn(course({}, { remedies, symptoms: ['errors', 'latency'] }))).toEqual(['restart', 'gold', 'scale']);
  });
  test('for lost quality are other variants, since no restart mends a ranking', () =>
    expect(remediesIn(course({}, { symptoms: ['ndcg'] }))).toEqual(['previous', 'gold']));
  test('are the one that is asked for, whatever the plan says', () => {
    const remedies = { latency: ['gold'] };
    expect(remediesIn(course({}, { remedies, only: 'previous' }))).toEqual(['previous']);
  });
});

describe('a remedy is passed over', () => {
  test('without a hook for it', () => {
    const found = course({}, { hook: {} });
    expect(over(found, 'restart')).toContain('remediation.hooks.restart');
    expect(over(found, 'scale')).toContain('remediation.hooks.scale');
  });
  test('where there was no champion before', () =>
    expect(over(course({ back: [] }), 'previous')).toContain('no champion'));
  test('where gold is the champion, or there is none', () => {
    expect(over(course({ gold: 'c' }), 'gold')).toBe('gold is the champion');
    expect(over(course({ gold: null }), 'gold')).toContain('no gold');
  });
  test('where an earlier one goes back to the same variant', () => {
    const found = course({ gold: 'b' });
    expect(remediesIn(found)).toEqual(['restart', 'scale', 'cheaper', 'previous']);
    expect(over(found, 'gold')).toContain('earlier remedy');
  });
  test.each([
    ['is cheaper by less than a tenth', [one('a', 9.1, 0.5)]],
    ['is worse by more than may be given for it', [one('a', 5, 0.48)]],
    ['has a cost that nobody knows', [one('a', null, 0.5)]],
    ['has a quality that nobody knows', [one('a', 5, null)]],
  ])('for cheaper, when the only former champion %s', (_, back) =>
    expect(over(course({ back }), 'cheaper')).toContain('no former champion'),
  );
  test('for cheaper, when nobody knows what the champion costs', () =>
    expect(over(course({ champion: one('c') }), 'cheaper')).toContain('no former champion'));
});

test('of several that are cheap enough the cheapest is taken', () => {
  const back = [one('b', 8, 0.5), one('a', 6, 0.49), one('z', 7, 0.6)];
  expect(course({ back }).steps.find(({ remedy }) => remedy === 'cheaper')?.variant).toBe('a');
});

describe('experience', () => {
  const remedies = { latency: ['restart', 'scale', 'previous', 'gold'] };
  const past = (result: string, remedy: Remedy, symptom = 'latency'): PastFix => ({
    symptoms: [symptom],
    tried: [{ remedy, result }],
  });
  const having = (...past: PastFix[]) => remediesIn(course({ past }, { remedies }));
  test('puts what helped against the same first', () =>
    expect(having(past('helped', 'previous'))).toEqual(['previous', 'restart', 'scale', 'gold']));
  test('puts what did not help last', () =>
    expect(having(past('did not help', 'restart'))).toEqual(['scale', 'previous', 'gold', 'restart']));
  test('counts the last time only', () =>
    expect(having(past('helped', 'gold'), past('did not help', 'gold'))).toEqual([
      'restart',
      'scale',
      'previous',
      'gold',
    ]));
  test('learns nothing from another symptom, nor from what was not seen', () =>
    expect(having(past('helped', 'gold', 'errors'), past('stopped', 'restart'))).toEqual(remedies.latency));
});

describe("past a person's decision", () => {
  const decided = 'ada has armed the service with it';
  test('the automatic actor leaves the champion, does what leaves it, and asks', () => {
    const found = course({ decided });
    expect(remediesIn(found)).toEqual(['restart', 'scale']);
    expect(found.ask).toBe(decided);
    expect(over(found, 'previous')).toContain('a person has to decide');
  });
  test('a person goes', () => {
    const found = course({ decided }, { by: ada });
    expect(remediesIn(found)).toContain('previous');
    expect(found.ask).toBeNull();
  });
  test('nobody is asked where there is nothing to go back to', () =>
    expect(course({ decided, back: [], gold: null }).ask).toBeNull());
});

describe('a fix may start', () => {
  const state: ServiceState = {
    ...{ service: 'docs', latch: 'armed', because: 'ok', epoch: 0, promotion: 3 },
    ...{ champion: 'c', gold: 'g', arms: [{ variant: 'c', share: 1 }] },
  };
  const NOW = 10_000_000;
  const why = (over: Partial<FixAdmissionFacts> = {}) =>
    whyNotFix({
      ...{ state, paused: false, holder: null, fixing: null, admitted: [], now: NOW, request: schedule },
      settings: { mode: 'act', plan: { perHour: 2 } },
      ...over,
    });
  const because = (text: string) => expect.objectContaining({ because: expect.stringContaining(text) });

  test('where nothing stands against it', () => expect(why()).toBeNull());
  test.each([
    ['for a service that nobody knows', { state: null }, 'not known', false],
    ['under the latch', { state: { ...state, latch: 'killed' } as const }, 'killed', false],
    ['before a person has armed the service', { state: { ...state, latch: 'disarmed' } as const }, 'not armed', false],
    ['without a champion', { state: { ...state, champion: null } }, 'no champion', false],
    ['about another champion', { request: { ...schedule, champion: 'x' } }, 'has changed', false],
    ['while it is paused', { paused: true }, 'paused', true],
    ['while another one is at it', { fixing: 'fx_1' }, 'fx_1 is at it', true],
    ['while a cycle moves traffic', { holder: 'si_1' }, 'si_1 holds', true],
    [
      'by itself in another mode',
      { settings: { mode: 'advise' as const, plan: { perHour: 2 } } },
      'mode is advise',
      false,
    ],
    ['too often in an hour', { admitted: [NOW - 1, NOW - 2] }, 'perHour is 2', false],
  ])('not %s', (_, over, text, wait) => {
    expect(why(over)).toEqual(because(text));
    expect(why(over)?.wait).toBe(wait);
  });
  test('about the champion that serves', () => expect(why({ request: { ...schedule, champion: 'c' } })).toBeNull());
  test('again when the hour is over', () => expect(why({ admitted: [NOW - 3_600_000, NOW - 1] })).toBeNull());
  test('for a person in any mode, and as often as they like', () => {
    const settings = { mode: 'observe' as const, plan: { perHour: 0 } };
    expect(why({ request: ada, settings, admitted: [NOW] })).toBeNull();
  });
  test('and a person is asked only where there were too many', () => {
    expect(why({ admitted: [NOW, NOW] })?.ask).toBe(true);
    expect(why({ paused: true })?.ask).toBeUndefined();
  });
});

const finding = (state: GateFinding['state'], gate = 'errors', withinMs = 1_000): GateFinding => ({
  ...{ gate, metric: gate, state, value: 1, limit: 0.5, baseline: null, n: 10, because: '', withinMs },
});

describe('a breach is over', () => {
  const breached = [finding('breach'), finding('breach', 'latency')];
  test('when every gate passes that was breached', () =>
    expect(breachOver(breached, [finding('pass'), finding('pass', 'latency')])).toBe('over'));
  test('not while one of them says nothing', () =>
    expect(breachOver(breached, [finding('pass'), finding('no data', 'latency')])).toBe('no data'));
  test('not while one of them is not looked at', () => expect(breachOver(breached, [finding('pass')])).toBe('no data'));
  test('not while another one is breached', () =>
    expect(breachOver([finding('breach')], [finding('pass'), finding('breach', 'cost')])).toBe('breach'));
});

test('symptoms are the metrics that are breached, each once', () => {
  const findings = [finding('breach'), finding('pass', 'latency'), finding('breach'), finding('breach', 'cost')];
  expect(symptomsOf(findings)).toEqual(['errors', 'cost']);
});

describe('a promise', () => {
  const promise = (outcome: 'remedied' | 'failed', tookMs: number) =>
    promisesOf([finding('breach'), finding('pass', 'latency')], { sinceMs: 500, nowMs: 500 + tookMs, outcome });
  test('counts from the first failing reading, for each gate that was breached', () =>
    expect(promise('remedied', 900)).toEqual([{ gate: 'errors', withinMs: 1_000, tookMs: 900, kept: true }]));
  test('is broken by what comes later', () => expect(promise('remedied', 1_001)[0]?.kept).toBe(false));
  test('is broken by what did not help', () => expect(promise('failed', 1)[0]?.kept).toBe(false));
});
