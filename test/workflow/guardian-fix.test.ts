/** Who may start a fix, and what the guardian makes of it. */
import { describe, expect, test } from 'vitest';
import { guardianId, triggerId } from '../../contracts/ids.ts';
import { type Admission, killUpdate, pauseUpdate } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import {
  askForFix,
  brokenOn,
  fixesTo,
  fixHandle,
  fixRequest,
  fixSettings,
  promoteTo,
  startFix,
} from '../support/fixes.ts';
import { guardedService } from '../support/guarded-service.ts';
import { door, eventually, startCycle, triggerCycle } from '../support/requests.ts';
import { stagesTo } from '../support/stages.ts';
import { challengerOf, championOf } from '../support/world.ts';

const scene = guardedService();
const ada = { kind: 'person', name: 'ada' };

/** The challenger is champion; the champion before it is gold. */
const promoted = async (broken = challengerOf(scene.service)) => {
  scene.world.fixes = fixesTo(scene.world.control, { lookForBreach: brokenOn(broken) });
  await promoteTo(scene.world.control, scene.service, challengerOf(scene.service));
};
const rows = (kind: string) => scene.world.control.ledger({ service: scene.service, kind });
const refusal = async (request = fixRequest()) => {
  const answer = await askForFix(scene.world, scene.service, request);
  return answer.admitted ? 'admitted' : answer;
};
/** Fixes look until the test lets them see. */
const holdLooks = () => {
  const held = door();
  const look = brokenOn(challengerOf(scene.service));
  const lookForBreach: typeof look = async (order) => held.opened.then(() => look(order));
  scene.world.fixes = fixesTo(scene.world.control, { lookForBreach });
  return held;
};
const heldFix = async () => {
  await promoted();
  const held = holdLooks();
  return { held, ...(await startFix(scene.world, scene.service)) };
};

test('a fix goes back to the previous champion, sees that it helped, and ends', async () => {
  await promoted();
  const [bad, good] = [challengerOf(scene.service), championOf(scene.service)];
  const { fix, handle } = await startFix(scene.world, scene.service);
  expect(await handle.result()).toMatchObject({
    outcome: 'remedied',
    remedy: 'previous',
    champion: good,
    tried: [{ remedy: 'previous', result: 'helped' }],
  });
  expect(await scene.state()).toMatchObject({ champion: good, arms: scene.gold() });
  expect(await rows('fix admitted')).toMatchObject([
    { cycle: fix, actor: { kind: 'schedule' }, body: { champion: bad } },
  ]);
  expect(await rows('fix ended')).toMatchObject([{ cycle: fix, body: { outcome: 'remedied', symptoms: ['errors'] } }]);
  await eventually(scene.status, ({ running, lane }) => running.length === 0 && lane.holder === null);
  expect((await scene.status()).fixes).toMatchObject([{ fix, outcome: 'remedied' }]);
});

describe('a fix is refused', () => {
  test('while the service is killed, since gold serves already', async () => {
    await promoted();
    await scene.startGuardian({});
    await scene.guardian().executeUpdate(killUpdate, { args: [{ by: 'ada', reason: 'it smells' }] });
    expect(await refusal()).toMatchObject({ wait: false, because: expect.stringContaining('killed (it smells)') });
  });

  test('for a service that nobody has registered', async () => {
    expect(await askForFix(scene.world, 'nobody', fixRequest())).toMatchObject({
      admitted: false,
      because: expect.stringContaining('not known here'),
    });
  });

  test('while the service is paused, and may be asked for again later', async () => {
    await promoted();
    await scene.startGuardian({});
    await scene.guardian().executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] });
    expect(await refusal()).toMatchObject({ wait: true, because: expect.stringContaining('paused') });
  });

  test('where the champion is not the one that it is about any more', async () => {
    await promoted();
    expect(await refusal(fixRequest({ champion: championOf(scene.service) }))).toMatchObject({
      wait: false,
      because: expect.stringContaining('the champion has changed'),
    });
  });

  test('where traffic does not move by itself, except for a person', async () => {
    await promoted();
    const { fixes } = scene.world;
    scene.world.fixes = { ...fixes, readFixSettings: async () => fixSettings({}, 'advise') };
    expect(await refusal()).toMatchObject({ wait: false, because: expect.stringContaining('mode is advise') });
    const { handle } = await startFix(scene.world, scene.service, { requestedBy: ada, only: 'previous', findings: [] });
    expect(await handle.result()).toMatchObject({ outcome: 'remedied', champion: championOf(scene.service) });
  });

  test('after so many in an hour, when people are asked instead, once', async () => {
    await promoted();
    const { fixes } = scene.world;
    scene.world.fixes = {
      ...fixes,
      readFixSettings: async () => fixSettings({ perHour: 1 }),
      lookForBreach: async () => ({ champion: null, findings: [] }),
    };
    const { handle } = await startFix(scene.world, scene.service, { findings: [] });
    await handle.result();
    await eventually(scene.status, ({ running }) => running.length === 0);
    expect(await refusal()).toMatchObject({ wait: false, ask: true, because: expect.stringContaining('perHour is 1') });
    expect(await refusal()).toEqual(expect.not.objectContaining({ ask: true }));
    expect(await refusal(fixRequest({ requestedBy: ada }))).toBe('admitted');
  });

  test('where the policy forbids automation to start, and not for a person who goes back', async () => {
    await promoted();
    const { policy } = scene.world;
    scene.world.policy = {
      decide: async (question) => ({ ...(await policy.decide(question)), allowed: false, because: 'a freeze' }),
    };
    expect(await refusal()).toMatchObject({ wait: false, because: 'a freeze' });
    expect(await refusal(fixRequest({ requestedBy: ada, only: 'previous', findings: [] }))).toBe('admitted');
    scene.world.policy = policy;
  });

  test('with a token that nobody signed for it', async () => {
    await promoted();
    const token = scene.world.sign({ action: 'start', workflow: guardianId('another') });
    expect(await refusal(fixRequest({ requestedBy: ada, token }))).toMatchObject({ admitted: false });
  });

  test('when what comes is no request', async () => {
    await promoted();
    const made = { key: 'k', requestedBy: ada, reason: 'x', findings: [{ gate: 1 }] } as never;
    await expect(askForFix(scene.world, scene.service, made)).rejects.toThrow();
    expect(await rows('fix admitted')).toEqual([]);
  });
});

describe('the traffic lane', () => {
  test('is waited for while a cycle has it, which looks after what it tries by itself', async () => {
    const watched = door();
    const { watch } = stagesTo(challengerOf(scene.service));
    scene.world.stages = stagesTo(challengerOf(scene.service), {
      watch: async (input) => watched.opened.then(() => watch(input)),
    });
    const { cycle, handle } = await startCycle(scene.world, scene.service);
    await eventually(scene.status, ({ lane }) => lane.holder === cycle);
    expect(await refusal()).toMatchObject({ wait: true, because: expect.stringContaining(`${cycle} holds`) });
    watched.open();
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
  });

  test('is given to one of two fixes that are asked for at once', async () => {
    await promoted();
    const held = holdLooks();
    const answers = await Promise.all(
      [fixRequest(), fixRequest()].map((request) => askForFix(scene.world, scene.service, request)),
    );
    expect(answers.map(({ admitted }) => admitted).sort()).toEqual([false, true]);
    expect(answers.find(({ admitted }) => !admitted)).toMatchObject({ wait: true });
    held.open();
    const [one] = answers.flatMap((answer) => (answer.admitted ? [answer] : []));
    expect(await fixHandle(scene.world, one?.workflowId ?? '').result()).toMatchObject({ outcome: 'remedied' });
  });

  test('comes to a waiting cycle when the fix has ended, and that cycle sees that the champion has changed', async () => {
    const { held, fix, handle } = await heldFix();
    scene.world.stages = stagesTo(championOf(scene.service));
    const cycle = await startCycle(scene.world, scene.service);
    await eventually(scene.status, ({ lane }) => lane.holder === fix && lane.waiting.includes(cycle.cycle));
    held.open();
    expect(await handle.result()).toMatchObject({ outcome: 'remedied' });
    expect(await cycle.handle.result()).toMatchObject({
      outcome: 'rejected',
      because: expect.stringContaining('changed'),
    });
  });

  test('is taken back from a fix that was terminated, whose end the guardian tells', async () => {
    scene.world.fixes = fixesTo(scene.world.control);
    await scene.startGuardian({ lookAfterMs: 1_000 });
    const { held, fix, handle } = await heldFix();
    await handle.terminate('by a person');
    await eventually(scene.status, ({ running, lane }) => running.length === 0 && lane.holder === null);
    expect(await rows('fix ended')).toMatchObject([
      { cycle: fix, actor: { kind: 'guardian' }, body: { outcome: 'failed' } },
    ]);
    expect(await scene.state()).toMatchObject({ champion: challengerOf(scene.service) });
    held.open();
  });
});

test('the same request gets the same fix, however often it comes', async () => {
  await promoted();
  const request = fixRequest();
  const first = await askForFix(scene.world, scene.service, request);
  expect(await askForFix(scene.world, scene.service, request)).toEqual(first);
});

test('a fix does not count as a cycle that runs, and starts no cool-down', async () => {
  const { held, handle } = await heldFix();
  const limits = { cyclesPerDay: 100, cooldownMs: 3_600_000, running: 1 };
  scene.world.plan = { ...scene.world.plan, mode: 'observe', limits };
  expect(await triggerCycle(scene.world, scene.service, 'schedule')).toMatchObject({ admitted: true });
  held.open();
  await handle.result();
  await eventually(scene.status, ({ running }) => running.length === 0);
  expect(await scene.status()).toMatchObject({ cooldownUntil: null });
});

test('a guardian that was terminated is started anew by the next request, and counts on', async () => {
  await promoted();
  const first = await startFix(scene.world, scene.service);
  await first.handle.result();
  await scene.guardian().terminate('by a test');
  const second = await startFix(scene.world, scene.service, { findings: [] });
  expect(second.fix).not.toBe(first.fix);
  expect(await second.handle.result()).toMatchObject({ outcome: 'not needed' });
});

test('a fix goes on when its guardian continues as new, and the next run hears of its end', async () => {
  await promoted();
  await scene.startGuardian({ historyLimit: 30 });
  const held = holdLooks();
  const { fix, handle } = await startFix(scene.world, scene.service);
  const { runId } = await scene.guardian().describe();
  for (let n = 1; n <= 6; n++) await scene.guardian().executeUpdate(pauseUpdate, { args: [{ by: `${n}` }] });
  await eventually(
    () => scene.guardian().describe(),
    (now) => now.runId !== runId,
  );
  held.open();
  await handle.result();
  await eventually(scene.status, ({ running, fixes = [] }) => running.length === 0 && fixes[0]?.fix === fix);
});

describe('a trigger of kind fix', () => {
  const look = (name: string) =>
    scene.world.client.workflow.execute<(input: object) => Promise<Admission>>('trigger', {
      workflowId: triggerId(scene.service, name),
      taskQueue: queues.control,
      args: [
        { service: scene.service, kind: 'fix', reason: 'every half minute', requestedBy: { kind: 'schedule', name } },
      ],
    });

  test('has a breach of a fast gate mended', async () => {
    await promoted();
    const admission = await look('fast');
    if (!admission.admitted) throw new Error(admission.because);
    expect(await fixHandle(scene.world, admission.workflowId).result()).toMatchObject({ outcome: 'remedied' });
    expect(await rows('fix admitted')).toMatchObject([
      { reason: 'every half minute: errors: breach', body: { symptoms: ['errors'] } },
    ]);
  });

  test('does nothing where no gate is breached, or none can be read', async () => {
    await promoted(championOf(scene.service));
    expect(await look('passes')).toEqual({ admitted: false, because: 'no fast gate is breached' });
    expect(await rows('fix admitted')).toEqual([]);
  });

  test('tells people where there were too many', async () => {
    await promoted();
    scene.world.fixes = { ...scene.world.fixes, readFixSettings: async () => fixSettings({ perHour: 0 }) };
    expect(await look('too many')).toMatchObject({ admitted: false });
    expect(await look('too many again')).toMatchObject({ admitted: false });
    expect(scene.world.told(scene.service).filter(({ type }) => type === 'fix.asked')).toHaveLength(1);
  });
});
