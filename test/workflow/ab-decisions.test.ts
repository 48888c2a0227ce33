/** What people say to an A/B evaluation: that it ends, and what it asks them where the figures alone do not decide. */
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AbActivities, AbReport } from '../../contracts/ab.ts';
import { type AbQuestion, abStatusQuery, promoteUpdate } from '../../contracts/ab-messages.ts';
import {
  abortSignal,
  abortUpdate,
  killSignal,
  pauseUpdate,
  rejectSignal,
  rejectUpdate,
  resumeUpdate,
} from '../../contracts/messages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { type AbHandle, abTo, looking, startAb } from '../support/ab.ts';
import { testPlan } from '../support/plan.ts';
import { door, eventually } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { challengerOf, championOf, createWorld, registerService, type World } from '../support/world.ts';

let world: World;
let service: string;
let services = 0;
let grace: World['sign'];
beforeAll(async () => {
  world = await createWorld();
  grace = await world.person('grace', 'approver');
}, 60_000);
afterAll(() => world.end());

const scene = async (script: Partial<AbActivities> = {}): Promise<void> => {
  service = `asked-${++services}`;
  await registerService(world.control, service);
  world.ab = abTo({ lookAtArms: looking(world.control), keepAb: async () => evidenceOf('what was seen'), ...script });
  world.plan = testPlan();
};
const served = async () => (await world.control.state(service))?.arms;
const championAlone = () => [{ variant: championOf(service), share: 1 }];
const ends = async () => (await world.control.ledger({ service, kind: 'ab ended' })).length;

/** Up to the question: as good as the champion, and no time left. */
const asking = async (holdMs = 600_000): Promise<{ handle: AbHandle; question: AbQuestion }> => {
  const handle = await startAb(world, service, { plan: { undecided: 'ask', maximumMs: 1_000, holdMs } });
  const { question } = await eventually(
    () => handle.query(abStatusQuery),
    (status) => status.state === 'asking',
  );
  if (!question) throw new Error('nothing is asked');
  return { handle, question };
};
const yesTo = (handle: AbHandle, { step, variant, evidence }: AbQuestion, claims: Partial<TokenClaims> = {}) =>
  grace({ action: 'promote', workflow: handle.workflowId, step, variant, evidence, reason: 'worth a try', ...claims });
const promote = (handle: AbHandle, token: string) => handle.executeUpdate(promoteUpdate, { args: [{ token }] });

describe('a question', () => {
  test('is about this challenger on the report of what was seen, and a signature on it goes on to the canary', async () => {
    const reports: AbReport[] = [];
    const keepAb = async (report: AbReport) => {
      reports.push(report);
      return evidenceOf(`report ${reports.length}`);
    };
    await scene({ keepAb });
    const { handle, question } = await asking();
    expect(question).toMatchObject({ variant: challengerOf(service), evidence: evidenceOf('report 1').sha256 });
    expect(reports[0]).toMatchObject({ outcome: null, finding: { decision: 'ask' } });
    const token = yesTo(handle, question);
    const [first, again] = await Promise.all([promote(handle, token), promote(handle, token)]);
    expect(first).toEqual({ accepted: true, what: 'grace (approver) has decided: on to the canary' });
    expect(again).toEqual(first);
    const end = await handle.result();
    expect(end).toMatchObject({ outcome: 'better', because: 'worth a try (grace (approver))' });
    expect((await served())?.map(({ variant }) => variant)).toContain(challengerOf(service));
    expect(await ends()).toBe(1);
  });

  test('is told to people where the cycle tells them things, once', async () => {
    await scene();
    const { handle: untold } = await asking();
    await untold.signal(rejectSignal, {});
    await untold.result();
    expect(world.told(service)).toEqual([]);
    await scene();
    const handle = await startAb(world, service, { notify: true, plan: { undecided: 'ask', maximumMs: 1_000 } });
    const { question } = await eventually(
      () => handle.query(abStatusQuery),
      ({ state }) => state === 'asking',
    );
    await handle.signal(rejectSignal, {});
    await handle.result();
    expect(world.told(service)).toMatchObject([
      { type: 'ab.asked', command: expect.stringContaining('pawl ab promote si_2026_11_21_001') },
    ]);
    expect(world.told(service)[0]?.text).toContain(question?.summary);
  });

  test('takes no signature for something else, and none of whoever asked for the cycle', async () => {
    await scene();
    const { handle, question } = await asking();
    for (const other of [{ evidence: 'e'.repeat(64) }, { variant: championOf(service) }, { step: 'canary' }])
      expect(await promote(handle, yesTo(handle, question, other))).toMatchObject({ accepted: false });
    expect(await promote(handle, yesTo(handle, question, { action: 'approve' }))).toMatchObject({ accepted: false });
    expect(await promote(handle, 'yes')).toMatchObject({ accepted: false });
    const linus = await world.person('linus', 'approver');
    const { step, variant, evidence } = question;
    const own = linus({ action: 'promote', workflow: handle.workflowId, step, variant, evidence });
    expect(await promote(handle, own)).toMatchObject({ accepted: false, because: expect.stringContaining('linus') });
    await handle.signal(rejectSignal, { by: 'ada', reason: 'enough' });
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', because: 'enough (ada)' });
    expect(await served()).toEqual(championAlone());
  });

  test('that nobody answers ends it as expired, with the champion', async () => {
    await scene();
    const { handle } = await asking(700);
    expect(await handle.result()).toMatchObject({ outcome: 'expired', because: 'no decision came in time' });
    expect(await served()).toEqual(championAlone());
  });

  test('that is answered with yes and no at once has one answer', async () => {
    await scene();
    const { handle, question } = await asking();
    const [yes, no] = await Promise.all([
      promote(handle, yesTo(handle, question)),
      handle.executeUpdate(rejectUpdate, { args: [{ by: 'ada', reason: 'no' }] }),
    ]);
    expect([yes, no].filter(({ accepted }) => accepted)).toHaveLength(1);
    expect((await handle.result()).outcome).toBe(yes.accepted ? 'better' : 'rejected');
    expect(await ends()).toBe(1);
  });

  test('waits while it is paused, and is forgotten where harm shows meanwhile', async () => {
    let harm = false;
    await scene({ lookAtArms: (look) => looking(world.control, harm ? { challenger: 0.1 } : {})(look) });
    const { handle, question } = await asking();
    await handle.executeUpdate(pauseUpdate, { args: [{}] });
    const paused = await promote(handle, yesTo(handle, question));
    expect(paused).toEqual({ accepted: false, because: 'it is paused: resume it first' });
    harm = true;
    expect(await handle.result()).toMatchObject({ outcome: 'harm' });
    expect(await served()).toEqual(championAlone());
  });

  test('is still there after it was continued as new, for the same signature', async () => {
    await scene();
    const handle = await startAb(world, service, {
      plan: { undecided: 'ask', maximumMs: 1_000 },
      historyLimit: 60,
    });
    const { question, looked } = await eventually(
      () => handle.query(abStatusQuery),
      (status) => status.state === 'asking',
    );
    await eventually(
      () => handle.query(abStatusQuery),
      (status) => status.looked > looked + 8,
    );
    if (!question) throw new Error('nothing is asked');
    expect(await promote(handle, yesTo(handle, question))).toMatchObject({ accepted: true });
    expect(await handle.result()).toMatchObject({ outcome: 'better' });
  });

  test('is not there before it is asked', async () => {
    await scene();
    const handle = await startAb(world, service);
    const none = { accepted: false, because: 'nothing waits for a decision now' };
    expect(await promote(handle, 'x')).toEqual(none);
    expect(await handle.executeUpdate(rejectUpdate, { args: [{}] })).toEqual(none);
    await handle.signal(abortSignal, {});
    await handle.result();
  });
});

describe('whoever ends it', () => {
  const stops = {
    abort: (handle: AbHandle) => handle.signal(abortSignal, { by: 'ada', reason: 'enough' }),
    kill: (handle: AbHandle) => handle.signal(killSignal, { by: 'ada', reason: 'enough' }),
    cancel: (handle: AbHandle) => handle.cancel(),
  } as const;
  const ended = {
    abort: { outcome: 'aborted', because: 'enough (ada)' },
    kill: { outcome: 'refused', refusal: 'killed', because: 'enough (ada)' },
    cancel: { outcome: 'aborted', because: 'the workflow was cancelled in Temporal' },
  } as const;
  const all = (Object.keys(stops) as Array<keyof typeof stops>).flatMap((how) =>
    (['starting', 'running', 'looking', 'asking'] as const).map((when) => ({ how, when })),
  );

  test.for(all)('by $how while it is $when finds the champion serving alone, and one end', async ({ how, when }) => {
    const [begun, over] = [door(), door()];
    const wait = async (): Promise<never> => {
      begun.open();
      await over.opened;
      throw new Error('too late');
    };
    await scene({ starting: { alphaOf: wait }, looking: { lookAtArms: wait }, running: {}, asking: {} }[when]);
    const handle = when === 'asking' ? (await asking()).handle : await startAb(world, service);
    if (when === 'starting' || when === 'looking') await begun.opened;
    if (when === 'running')
      await eventually(
        () => handle.query(abStatusQuery),
        ({ looked }) => looked > 0,
      );
    await stops[how](handle);
    expect(await handle.result()).toMatchObject(ended[how]);
    over.open();
    expect(await served()).toEqual(championAlone());
    expect(await ends()).toBe(1);
  });

  test('twice and in every way at once has ended it once', async () => {
    await scene();
    const { handle, question } = await asking();
    const said = await Promise.allSettled([
      handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'first' }] }),
      handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'second' }] }),
      promote(handle, yesTo(handle, question)),
      handle.executeUpdate(rejectUpdate, { args: [{ by: 'ada' }] }),
      handle.cancel(),
    ]);
    expect(said.some(({ status }) => status === 'fulfilled')).toBe(true);
    const { outcome } = await handle.result();
    expect(['aborted', 'rejected', 'better']).toContain(outcome);
    const alone = JSON.stringify(await served()) === JSON.stringify(championAlone());
    expect(alone).toBe(outcome !== 'better');
    expect(await ends()).toBe(1);
  });

  test('while a change of traffic is on its way waits for its answer, and undoes it', async () => {
    await scene();
    const handle = await startAb(world, service, { plan: { lookMs: 20, phaseMs: 20 } });
    await pause(0);
    await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'at once' }] });
    expect(await handle.result()).toMatchObject({ outcome: 'aborted' });
    expect(await served()).toEqual(championAlone());
  });
});

test('a resume is signed, and counts once', async () => {
  await scene();
  const handle = await startAb(world, service);
  await handle.executeUpdate(pauseUpdate, { args: [{}] });
  const token = world.sign({ action: 'resume', workflow: handle.workflowId });
  expect(await handle.executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({ accepted: true });
  await handle.executeUpdate(pauseUpdate, { args: [{}] });
  expect(await handle.executeUpdate(resumeUpdate, { args: [{ token }] })).toMatchObject({
    accepted: false,
    because: expect.stringContaining('used before'),
  });
  expect((await handle.query(abStatusQuery)).paused).toBe(true);
  await handle.signal(abortSignal, {});
  await handle.result();
});
