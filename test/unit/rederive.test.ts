import { describe, expect, test } from 'vitest';
import type { CycleEnd, Outcome } from '../../contracts/messages.ts';
import type { ApprovalPlan, Mode, Stage } from '../../contracts/plan.ts';
import type { Verdict } from '../../contracts/stages.ts';
import type { Course } from '../../domain/course.ts';
import { type CycleRecord, type Left, rederive } from '../../domain/rederive.ts';
import { withWhatIf } from '../../domain/what-if.ts';
import { testPlan } from '../support/plan.ts';

const OWN: Left<never> = { kind: 'own' };
const ALL: readonly Stage[] = ['monitor', 'diagnose', 'augment', 'train', 'evaluate', 'deploy', 'watch', 'promote'];
const until = (last: Stage): readonly Stage[] => ALL.slice(0, ALL.indexOf(last) + 1);
const TRAFFIC = { lane: 'granted', deploy: 'done', promote: 'done' } as const;
const NO_TRAFFIC = { lane: null, deploy: null, promote: null } as const;

const ended = (outcome: Outcome, challenger: string | null = 'b'): CycleEnd => {
  return { outcome, because: 'a test', challenger, champion: outcome === 'promoted' ? challenger : 'a' };
};
/** A cycle whose stages are the service's own: only the process is to be derived. */
const record = (done: readonly Stage[], end: CycleEnd, more: Partial<CycleRecord> = {}): CycleRecord => {
  const left = (stage: Stage) => (done.includes(stage) ? OWN : null);
  return {
    ...{ champion: 'a', end, done, approvals: [], signatures: [], idOf: () => 'b' },
    ...{ monitor: left('monitor'), train: left('train'), evaluate: left('evaluate'), watch: left('watch') },
    traffic: done.includes('promote') ? TRAFFIC : done.includes('deploy') ? { ...TRAFFIC, promote: null } : NO_TRAFFIC,
    ...more,
  };
};
const derived = (
  of: CycleRecord,
  plan: { mode?: Mode; approval?: ApprovalPlan | null } = {},
  trigger: 'gate' | 'hand' = 'gate',
): { course: Course; agrees: boolean | null | undefined } => {
  const { course, decisions } = rederive(of, { plan: testPlan(plan), trigger });
  return { course, agrees: decisions.find(({ what }) => what === 'end')?.agrees };
};
/** The scores of held-out queries of which the challenger is so much better. */
const scored = (verdict: Verdict, by: number, queries = 40): CycleRecord['evaluate'] => {
  const scores = Array.from({ length: queries }, () => ({ champion: 0.5, challenger: 0.5 + by }));
  const difference = { mean: by, low: by, high: by, n: queries };
  return { kind: 'evidence', evidence: { challenger: 'b', seed: 7, verdict, reasons: [], difference, scores } };
};

describe('the process leads from decisions to the end', () => {
  const cases: ReadonlyArray<readonly [what: string, record: CycleRecord, course: object, plan?: object]> = [
    ['a promotion', record(ALL, ended('promoted')), { ended: 'promoted', challenger: 'b' }],
    ['no breach', record(until('monitor'), ended('kept', null)), { ended: 'kept' }],
    ['mode observe', record(until('diagnose'), ended('kept', null)), { ended: 'kept' }, { mode: 'observe' }],
    [
      'nothing to try',
      record(until('train'), ended('rejected', null)),
      { ended: 'rejected', because: 'nothing to try' },
    ],
    ['a verdict that is not better', record(until('evaluate'), ended('rejected')), { ended: 'rejected' }],
    ['mode advise', record(until('evaluate'), ended('kept')), { ended: 'kept' }, { mode: 'advise' }],
    [
      'a person who rejects',
      record(until('evaluate'), ended('rejected'), { evaluate: scored('better', 0.1) }),
      { ended: 'rejected' },
      { approval: { expiresMs: 1 } },
    ],
    [
      'nobody who decides in time',
      record(until('evaluate'), ended('expired')),
      { ended: 'expired' },
      { approval: { expiresMs: 1 } },
    ],
    [
      'a champion that has changed',
      record(until('evaluate'), ended('rejected'), { traffic: { ...NO_TRAFFIC, lane: 'champion changed' } }),
      { ended: 'rejected', because: expect.stringContaining('champion') },
    ],
    ['a rollback', record(until('watch'), ended('rolled back')), { ended: 'rolled back' }],
    [
      'a deploy that a kill has fenced off',
      record(until('evaluate'), ended('killed'), { traffic: { ...TRAFFIC, deploy: 'stale epoch', promote: null } }),
      { ended: 'killed' },
    ],
    [
      'a promotion that was refused',
      record(until('watch'), ended('failed'), { traffic: { ...TRAFFIC, promote: 'stale promotion' } }),
      { ended: 'failed' },
    ],
  ];
  test.for(cases)('%s', ([, of, course, plan = {}]) => {
    expect(derived(of, plan)).toMatchObject({ course, agrees: true });
  });

  test('a cycle that a person asked for goes on where no gate is breached', () => {
    const { monitor: _, ...of } = record(until('diagnose'), ended('kept', null));
    const finding = { kind: 'evidence', evidence: { vitals: [], baseline: null, findings: [] } } as const;
    const nothing = { ...of, monitor: finding };
    expect(derived(nothing, { mode: 'observe' }, 'hand')).toMatchObject({ course: { because: 'mode observe' } });
    expect(derived(nothing, { mode: 'observe' })).toMatchObject({ course: { because: 'no gate is breached' } });
  });
});

describe('what comes from outside may stop it where it was, and nowhere else', () => {
  test.each(['aborted', 'killed', 'failed'] as const)('%s while it trained', (outcome) => {
    const of = record(until('augment'), ended(outcome, null));
    expect(derived(of)).toEqual({ course: { goesOnTo: 'train' }, agrees: true });
  });
  test('a promotion cannot come out of a cycle that stands in training', () => {
    expect(derived(record(until('augment'), ended('promoted')))).toMatchObject({ agrees: false });
  });
  test('an abort cannot come after the verdict had ended it', () => {
    const of = record(until('evaluate'), ended('aborted', null), { evaluate: scored('worse', -0.1) });
    expect(derived(of)).toMatchObject({ course: { ended: 'rejected' }, agrees: false });
  });
  test('a promotion of another challenger than the one that was tried does not agree', () => {
    const tried = { train: { kind: 'evidence', evidence: trained }, evaluate: scored('better', 0.1) } as const;
    expect(derived(record(ALL, ended('promoted', 'b'), tried))).toMatchObject({ agrees: true });
    expect(derived(record(ALL, ended('promoted', 'c'), tried))).toMatchObject({ agrees: false });
  });
});

const POINT = {
  ...{ title: 1, body: 1, stemming: false, splitIdentifiers: false, stopShare: 1, sets: [] },
  expansion: { documents: 3, words: 0 },
};
const trained = {
  challenger: 'b',
  seed: 7,
  trials: [
    { point: POINT, score: 0.4, kept: true },
    { point: { ...POINT, stemming: true }, score: 0.5, kept: true },
  ],
  space: {
    champion: {
      ...{ stemming: false, splitIdentifiers: false, stopShare: 1, synonyms: {} },
      ...{ weights: { title: 1, body: 1 }, expansion: { documents: 3, words: 0 } },
    },
    sets: [{}],
  },
};

describe('approvals', () => {
  const approval = { expiresMs: 1, quorum: 2 };
  const approved = (...approvals: CycleRecord['approvals']) =>
    derived(record([...ALL, 'approve'], ended('promoted'), { approvals, evaluate: scored('better', 0.1) }), {
      approval,
    });
  test('as many different people as the plan asks for', () => {
    expect(approved({ person: 'ada', objection: null }, { person: 'ben', objection: null }).agrees).toBe(true);
  });
  test('one person twice is one person', () => {
    const twice = { person: 'ada', objection: null };
    expect(approved(twice, twice)).toEqual({ course: { goesOnTo: 'approve' }, agrees: false });
  });
  test('a signature that does not hold counts for nothing', () => {
    expect(approved({ person: 'ada', objection: null }, { person: 'ben', objection: 'revoked' }).agrees).toBe(false);
  });
});

test('what cannot be read is no agreement, and the rest is derived all the same', () => {
  const lost = { kind: 'lost', because: 'it is gone' } as const;
  const { decisions, course } = rederive(record(ALL, ended('promoted'), { watch: lost }), {
    plan: testPlan(),
    trigger: 'gate',
  });
  expect(decisions.find(({ what }) => what === 'watch')).toMatchObject({ agrees: false, derived: 'it is gone' });
  expect(course).toMatchObject({ ended: 'promoted' });
});

describe('what if', () => {
  const gate = { samples: 10, windowMs: 1, withinMs: 1 };
  const gates = [
    { ...gate, name: 'quality', metric: 'ndcg', rule: { drop: 0.03 } },
    { ...gate, name: 'speed', metric: 'latency', rule: { above: 800 } },
  ];
  const settings = { plan: testPlan({ gates }), trigger: 'gate' } as const;
  const changed: ReadonlyArray<readonly [text: string, plan: object]> = [
    ['gate.drop=2%', { gates: [{ rule: { drop: 0.02 } }, { rule: { above: 800 } }] }],
    ['gate.samples=5', { gates: [{ samples: 5 }, { samples: 5 }] }],
    ['gates.speed.above=500', { gates: [{ rule: { drop: 0.03 } }, { rule: { above: 500 } }] }],
    ['gates.speed.below=0.5', { gates: [{}, { rule: { below: 0.5 } }] }],
    ['gates.quality.samples=7', { gates: [{ samples: 7 }, { samples: 10 }] }],
    ['watch.maxDrop=1%', { watch: { maxDrop: 0.01, samples: 10 } }],
    ['watch.samples=99', { watch: { maxDrop: 0.03, samples: 99 } }],
    ['approval.quorum=3', { approval: { quorum: 3 } }],
    ['approval.quorum=0', { approval: null }],
    ['training.trials=4', { training: { trials: 4, seed: 7 } }],
    ['mode=advise', { mode: 'advise' }],
  ];
  test.each(changed)('%s', (text, plan) => {
    expect(withWhatIf(settings, text)).toMatchObject({ plan });
  });
  test('trigger=hand', () => expect(withWhatIf(settings, 'trigger=hand')).toMatchObject({ trigger: 'hand' }));

  const refused: ReadonlyArray<readonly [text: string, because: RegExp]> = [
    ['gate.drop', /expected a name and a value/],
    ['gate.fall=1', /there is no "gate.fall" to change; there are gate\.drop, gate\.samples/],
    ['gates.size.above=1', /there is no gate "size"; there are: quality, speed/],
    ['gate.below=1', /no gate has a rule on below/],
    ['gate.drop=much', /is no number/],
    ['watch.samples=0', /at least 1/],
    ['training.trials=1.5', /whole number/],
    ['mode=wild', /none of observe, advise, act/],
  ];
  test.each(refused)('%s is refused', (text, because) => {
    expect(withWhatIf(settings, text)).toEqual({ because: expect.stringMatching(because) });
  });
});
