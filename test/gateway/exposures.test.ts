/** Who is part of an experiment, as the log keeps it. */
import { expect, test } from 'vitest';
import { EXPERIMENT, type Experiment, hashOf, placeOf, runExperiment } from '../support/experiment.ts';
import { CHALLENGER, CHAMPION, GOLD } from '../support/gateway.ts';

const TEN = Array.from({ length: 10 }, (_, at) => `d${at}`);
const people = Array.from({ length: 60 }, (_, n) => `user-${n}`);
/** At a share of 0.3. */
const inControl = people.filter((subject) => placeOf(subject) < 0.3);
const inTrial = people.filter((subject) => placeOf(subject) >= 0.7);

const exposed = ({ queryLog }: Experiment) =>
  queryLog.exposures({
    ...{ service: 'docs', experiment: EXPERIMENT, variants: [CHAMPION, CHALLENGER] },
    ...{ after: { at: 0, subject: '' }, to: Number.MAX_SAFE_INTEGER, limit: 1_000 },
  });
const running = async (share = 0.3) => {
  const experiment = await runExperiment(() => TEN);
  await experiment.give(share);
  return experiment;
};

test("the challenger's subjects are exposed by their first answer, and as large a part of the champion's", async () => {
  const experiment = await running();
  for (const subject of [...people, ...people]) {
    experiment.clock.now += 1;
    await experiment.ask('hello', subject);
  }
  await experiment.close();
  const moment = (subject: string) => 1_000_001 + people.indexOf(subject);
  const of = (subjects: readonly string[], variant: string) =>
    subjects.map((subject) => ({ subject: hashOf(subject), variant, at: moment(subject), phase: 0.3 }));
  const expected = [...of(inControl, CHAMPION), ...of(inTrial, CHALLENGER)].sort((a, b) => a.at - b.at);
  expect(expected.length).toBeGreaterThan(20);
  expect(expected.length).toBeLessThan(people.length);
  expect(await exposed(experiment)).toEqual(expected);
});

test('whoever came in an early phase stays what they were, and the phase is that of their first answer', async () => {
  const experiment = await running(0.1);
  for (const subject of people) await experiment.ask('hello', subject);
  await experiment.give(0.3);
  for (const subject of people) await experiment.ask('hello', subject);
  await experiment.close();
  const found = new Map((await exposed(experiment)).map(({ subject, ...rest }) => [subject, rest]));
  expect([...found.keys()].toSorted()).toEqual([...inControl, ...inTrial].map(hashOf).toSorted());
  for (const subject of [...inControl, ...inTrial]) {
    const variant = placeOf(subject) < 0.5 ? CHAMPION : CHALLENGER;
    const early = placeOf(subject) < 0.1 || placeOf(subject) >= 0.9;
    expect([subject, found.get(hashOf(subject))]).toMatchObject([subject, { variant, phase: early ? 0.1 : 0.3 }]);
  }
});

test('a tester who names the variant is exposed to nothing', async () => {
  const experiment = await running();
  const [subject = ''] = inTrial;
  for (const variant of [CHAMPION, CHALLENGER]) await experiment.ask('hello', subject, { 'x-pawl-variant': variant });
  await experiment.close();
  expect(await exposed(experiment)).toEqual([]);
});

test('whoever does not say who they are is exposed to nothing, and their answers are counted', async () => {
  const experiment = await running();
  for (const query of TEN) await experiment.ask(query);
  await experiment.close();
  expect(await exposed(experiment)).toEqual([]);
  const window = { service: 'docs', from: 0, to: Number.MAX_SAFE_INTEGER };
  expect(await experiment.queryLog.unnamed({ ...window, experiment: EXPERIMENT })).toBe(TEN.length);
  expect((await experiment.queryLog.read(window)).some((row) => 'phase' in row)).toBe(false);
});

test('what is interleaved, or only mirrored, exposes nobody', async () => {
  const experiment = await running();
  await experiment.giveArms([CHAMPION, CHALLENGER].map((variant) => ({ variant, share: 0.5, interleave: true })));
  for (const subject of people.slice(0, 10)) await experiment.ask('mixed', subject);
  await experiment.giveArms([
    { variant: CHAMPION, share: 1 },
    { variant: CHALLENGER, share: 0, mirror: 1 },
  ]);
  for (const subject of people.slice(0, 10)) await experiment.ask('mirrored', subject);
  await experiment.close();
  expect(await exposed(experiment)).toEqual([]);
});

test('whoever gets something else than what is theirs, because it is not there, is not exposed by that', async () => {
  const experiment = await runExperiment(() => TEN);
  experiment.engine.damaged.add(CHALLENGER);
  await experiment.giveArms([{ variant: CHAMPION, share: 1 }]);
  const state = await experiment.control.state('docs');
  await experiment.control.shift({
    ...{
      key: 'to what is damaged',
      service: 'docs',
      actor: { kind: 'cycle', name: 'c' },
      reason: 'a test',
      cycle: 'c',
    },
    token: { epoch: state?.epoch ?? -1, promotion: state?.promotion ?? -1 },
    arms: [
      { variant: CHAMPION, share: 0.7 },
      { variant: CHALLENGER, share: 0.3 },
    ],
  });
  const [subject = ''] = inTrial;
  const { variant } = await experiment.ask('hello', subject);
  await experiment.close();
  expect([CHAMPION, GOLD]).toContain(variant);
  expect(await exposed(experiment)).toEqual([]);
});
