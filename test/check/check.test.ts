import { describe, expect, test } from 'vitest';
import { RULES, type RuleName, reportOn, violationsIn } from '../../check/check.ts';
import type { Evidence } from '../../check/evidence.ts';
import { BAD_ARTIFACTS, sealed } from './cases/artifacts.ts';
import { type Bad, evidenceOf } from './cases/bad.ts';
import { BAD_CHAINS } from './cases/chain.ts';
import { BAD_DECISIONS } from './cases/decisions.ts';
import { BAD_FIXES, FIX, goBack, mended, mending } from './cases/fixes.ts';
import { BAD_MODELS, registered } from './cases/models.ts';
import { BAD_TRAFFIC } from './cases/traffic.ts';
import {
  abGives,
  abStarts,
  BAD_TRIALS,
  backFromCanary,
  canaryGives,
  mendedAfter,
  throughBoth,
  trialEnds,
  watchEnds,
} from './cases/trials.ts';
import { BEN, CHALLENGER, FIRST, GOLD, HandMadeLedger, WORKFLOW } from './hand-made-ledger.ts';

const admitted = (body: object = {}) => new HandMadeLedger().admitted(body);
const deployed = () => admitted().grant().deploy();
const promoted = () => deployed().promote().ends('promoted');

const VANISHED = { cycle: FIX, by: 'guardian' };
const whole = (variant: string) => [{ variant, share: 1 }];

const brokenIn = (home: HandMadeLedger | Evidence): RuleName[] => [
  ...new Set(violationsIn(evidenceOf(home)).map(({ rule }) => rule)),
];

describe('the checker finds nothing wrong', () => {
  test('with a cycle that was promoted', () => expect(brokenIn(promoted())).toEqual([]));

  test('with a cycle that was rolled back', () => {
    expect(brokenIn(deployed().restore().ends('rolled back'))).toEqual([]);
  });

  test('with a service that was killed in the middle of a cycle and armed again', () => {
    expect(brokenIn(deployed().kill().ends('killed').change('arm', { latch: 'armed' }))).toEqual([]);
  });

  test('with a change that was refused', () => {
    const refused = { outcome: 'refused', because: 'killed', token: { epoch: 0, promotion: 1 }, champion: CHALLENGER };
    const late = { cycle: FIRST, by: 'cycle', body: refused };
    expect(brokenIn(deployed().kill().row('shift', late).ends('killed'))).toEqual([]);
  });

  test('with an answer that was on its way when its variant lost its share', () => {
    expect(brokenIn(promoted().answered(CHALLENGER, 1))).toEqual([]);
    expect(brokenIn(deployed().promote().answered(GOLD, 400).ends('promoted'))).toEqual([]);
    expect(brokenIn(deployed().promote().answered(GOLD, 2_000, 1_900).ends('promoted'))).toEqual([]);
  });

  test('with what was mirrored to a variant without a share, and failed there', () => {
    const arms = [
      { variant: GOLD, share: 1 },
      { variant: CHALLENGER, share: 0, mirror: 0.1 },
    ];
    const ledger = admitted().grant().shift('deploy', arms).answered(GOLD, 1_000);
    for (const error of [null, 'Internal']) ledger.answered(CHALLENGER, 1_001, 5, { mirrored: true, error });
    expect(brokenIn(ledger.restore().ends('rolled back'))).toEqual([]);
  });

  test('with a fix that went back to the champion of before, and one that went on to gold', () => {
    expect(brokenIn(mended(goBack(mending())))).toEqual([]);
    const further = goBack(goBack(mending()), GOLD, 'fix: back to gold');
    expect(brokenIn(mended(further, ['restart', 'previous', 'gold']))).toEqual([]);
  });

  test('with a fix that was killed, or that had nothing to do', () => {
    expect(brokenIn(mended(goBack(mending()).kill(), ['previous'], 'killed'))).toEqual([]);
    expect(brokenIn(mended(mending(), [], 'not needed'))).toEqual([]);
  });

  test('with a fix whose workflow has vanished, of which the guardian tells', () => {
    const ledger = goBack(mending()).grant(FIX).shift('it has vanished', whole(CHALLENGER), undefined, VANISHED);
    expect(brokenIn(ledger.row('fix ended', { ...VANISHED, body: { outcome: 'failed', tried: [] } }))).toEqual([]);
  });

  test('with an answer that was mixed of two that were interleaved', () => {
    const arms = [GOLD, CHALLENGER].map((variant) => ({ variant, share: 0.5, interleave: true }));
    const ledger = admitted().grant().shift('deploy', arms);
    ledger.answered(GOLD, 1_000, 5, { teams: [GOLD, CHALLENGER] }).answered(CHALLENGER, 1_000);
    expect(brokenIn(ledger.restore().ends('rolled back'))).toEqual([]);
  });

  test('with gold, arming and a promotion that the policy allowed, and to which two people agreed', () => {
    const ledger = new HandMadeLedger().change('register', {});
    ledger.decided('gold').change('gold', { gold: GOLD }, { body: { variant: GOLD } });
    ledger.decided('rearm').change('arm', { latch: 'armed' });
    const approval = { expiresMs: 1, quorum: 2 };
    ledger.row('cycle admitted', { cycle: FIRST, by: 'guardian', body: { workflowId: WORKFLOW, approval } });
    ledger
      .decided('approve', { body: { allowed: false } })
      .decided('approve')
      .decided('approve', { by: BEN });
    ledger.grant().automation('deploy').deploy().automation('promote').promote();
    const evidence = { evaluate: { sha256: ledger.keep('evaluation') } };
    expect(brokenIn(ledger.ends('promoted', CHALLENGER, { evidence }))).toEqual([]);
  });

  test('with a promotion whose evidence says so, or is of a stage that leaves something else', () => {
    const ledger = deployed().promote();
    const said = { evaluate: { verdict: 'better' }, watch: { state: 'healthy' }, train: 'no JSON' };
    const ref = (value: unknown) => ({ sha256: ledger.keep(JSON.stringify(value)) });
    const evidence = Object.fromEntries(Object.entries(said).map(([stage, value]) => [stage, ref(value)]));
    expect(brokenIn(ledger.ends('promoted', CHALLENGER, { evidence }))).toEqual([]);
    const own = deployed().promote();
    const other = { sha256: own.keep('<xml/>') };
    expect(brokenIn(own.ends('promoted', CHALLENGER, { evidence: { evaluate: other, watch: other } }))).toEqual([]);
  });

  test('with an adapter that serves what was trained, and a quantised encoder, which need not', () => {
    expect(brokenIn(registered())).toEqual([]);
    expect(brokenIn(registered({ kind: 'quantized encoder', parity: null }))).toEqual([]);
  });

  test('with a challenger that was better in an A/B evaluation and was promoted by a canary', () => {
    expect(brokenIn(throughBoth())).toEqual([]);
    expect(brokenIn(watchEnds(throughBoth(), 'passed'))).toEqual([]);
    expect(brokenIn(watchEnds(mendedAfter(), 'rolled back', FIX))).toEqual([]);
  });

  test('with trials that put traffic back, were stopped before they began, or were overtaken by a kill', () => {
    expect(brokenIn(backFromCanary())).toEqual([]);
    const harm = trialEnds(abGives(abGives(abStarts(), 0.1), 0), 'ab', 'harm');
    expect(brokenIn(harm.restore().ends('rolled back'))).toEqual([]);
    expect(brokenIn(trialEnds(admitted().grant(), 'ab', 'aborted').ends('aborted'))).toEqual([]);
    const killed = trialEnds(canaryGives(admitted().grant(), 0.2).kill(), 'canary', 'aborted');
    expect(brokenIn(killed.ends('killed'))).toEqual([]);
    const unable = trialEnds(abGives(abStarts(), 0.1), 'ab', 'failed', { traffic: 'could not be put back: busy' });
    expect(brokenIn(unable.restore().ends('failed'))).toEqual([]);
  });

  test('with evidence that was sealed', () => expect(brokenIn(sealed({ 'a.json': 'a', 'b.json': 'b' }))).toEqual([]));

  test('with evidence that was erased, because a row names it', () => {
    const gone = 'a'.repeat(64);
    const ledger = admitted().row('erased', { body: { artifacts: [gone] } });
    expect(brokenIn(ledger.ends('kept', null, { evidence: { augment: { uri: '', sha256: gone } } }))).toEqual([]);
  });

  test('with fields and columns that it does not know', () => {
    const home = promoted().evidence();
    const more = <T extends object>(all: readonly T[]): T[] => all.map((one) => ({ ...one, later: 'added' }));
    expect(brokenIn({ ...home, ledger: more(home.ledger), served: more(home.served) })).toEqual([]);
  });
});

test('a rule that finds nothing to be held against is named, and is not among those that hold', () => {
  const { head: _, ...old } = admitted().ends('kept').evidence();
  const unchained = old.ledger.map(({ prev: _, hash: __, ...row }) => row);
  const { notApplicable, violations, rules } = reportOn(
    { ...old, ledger: unchained, people: null, artifacts: null },
    { atRest: true },
  );
  expect(violations).toEqual([]);
  expect(rules).toBe(Object.keys(RULES).length);
  const named = notApplicable.map(({ rule }) => rule);
  expect(named).toContain('a row is what its hash was taken of');
  expect(named).toContain('a decision carries a token that its person signed');
  expect(named).toContain('what serves is there, as it was built');
  expect(named).not.toContain('the ledger has no gap');
});

test('a head that only the store itself vouches for proves nothing, unless it is false even so', () => {
  const { ledgerKey: _, ...home } = promoted().evidence();
  const rule = 'the head is signed by the key of the ledger';
  expect(reportOn(home, { atRest: true }).notApplicable.map((one) => one.rule)).toContain(rule);
  const unsigned = home.head && { ...home.head, checkpoint: `${home.head.checkpoint.split('\n\n')[0]}\n\n` };
  expect(brokenIn({ ...home, head: unsigned ?? null })).toEqual([rule]);
});

describe('while cycles run', () => {
  const whileRunning = (ledger: HandMadeLedger) => reportOn(ledger.evidence(), { atRest: false });

  test('one that has not ended is named, and how it will end is not judged', () => {
    const { running, violations } = whileRunning(deployed());
    expect(running).toEqual([`docs ${FIRST}`]);
    expect(violations).toEqual([]);
  });

  test('one whose admission is not written yet is named too', () => {
    const started = new HandMadeLedger().change('register', {}).row('promise broken', { cycle: FIRST });
    expect(whileRunning(started)).toMatchObject({ running: [`docs ${FIRST}`], violations: [] });
  });

  test('a fix that has not ended is named', () => {
    expect(whileRunning(goBack(mending()))).toMatchObject({ running: [`docs ${FIX}`], violations: [] });
  });

  test('a second end is found all the same', () => {
    expect(whileRunning(promoted().ends('promoted')).violations.map(({ rule }) => rule)).toContain(
      'every admitted cycle ends exactly once',
    );
  });
});

const CASES: readonly Bad[] = [
  ...BAD_TRAFFIC,
  ...BAD_CHAINS,
  ...BAD_DECISIONS,
  ...BAD_ARTIFACTS,
  ...BAD_MODELS,
  ...BAD_FIXES,
  ...BAD_TRIALS,
];

describe('the checker finds', () => {
  test.each(CASES)('that not “%s”: %s', (rule, _, home) => expect(brokenIn(home())).toContain(rule));

  test('a violation of each of its rules, in the cases above', () => {
    expect(new Set(CASES.map(([rule]) => rule))).toEqual(new Set(Object.keys(RULES)));
  });
});
