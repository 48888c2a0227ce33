import { mkdirSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { type AbStatus, abStatusQuery } from '../../contracts/ab-messages.ts';
import { type AbHandle, abTo, looking, startAb } from '../support/ab.ts';
import { testPlan } from '../support/plan.ts';
import { eventually } from '../support/requests.ts';
import { createWorld, registerService, SERVICE, type World } from '../support/world.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  const { control, services } = homePaths(world.home);
  symlinkSync(join(world.home, 'control.db'), control);
  mkdirSync(services);
  await registerService(world.control, 'other');
  world.plan = testPlan();
}, 60_000);
afterAll(() => world.end());

const pawl = (...args: readonly string[]) =>
  pawlIn(world.home, args, { PAWL_HOME: world.home, PAWL_TEMPORAL_ADDRESS: world.env.address });

const until = (handle: AbHandle, is: (status: AbStatus) => boolean) =>
  eventually(() => handle.query(abStatusQuery), is);

test('without any, ab show says where one comes from', async () => {
  expect(errorOf(await pawl('ab', 'show', '--json'))).toMatchObject({
    type: 'NotFound',
    hint: expect.stringContaining('docs/guide/ab.md'),
  });
  expect(errorOf(await pawl('ab', 'show', 'the-last', '--json'))).toMatchObject({ type: 'Usage' });
});

describe('an A/B evaluation that runs', () => {
  const CYCLE = 'si_2026_11_21_001';
  let handle: AbHandle;
  beforeAll(async () => {
    world.ab = abTo({ lookAtArms: looking(world.control, { challenger: 0.404 }) });
    handle = await startAb(world, SERVICE, { trial: { cycle: CYCLE }, plan: { ramp: [0.5], lookMs: 3_600_000 } });
    await until(handle, ({ phase }) => phase !== null);
  });

  test('looks when it is told to, and is shown with its gain, its interval and what is wanted', async () => {
    expect(await pawl('ab', 'look', CYCLE, '--service', SERVICE)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('it looks now'),
    });
    await until(handle, ({ looked }) => looked > 0);
    const { stdout, code } = await pawl('ab', 'show', 'latest', '--service', SERVICE);
    expect(code).toBe(0);
    expect(stdout).toContain('██████████░░░░░░░░░░ 50 %');
    expect(stdout).toMatch(/ndcg +0\.4 +0\.404 +\+1 % +[−+][\d.]+ % to \+[\d.]+ % +\d+ +more than 3 % better/);
    expect(stdout).toContain('With your traffic this takes about 9 days.');
    expect(stdout).toContain(`Watch it: pawl ab watch ${CYCLE}`);
    const shown = (await pawl('ab', 'show', '--json')).json as AbStatus;
    expect(shown).toMatchObject({ cycle: CYCLE, state: 'running', looked: 1, finding: { decision: 'go on' } });
  });

  test('is paused without a signature, and resumed with one', async () => {
    const paused = await pawl('ab', 'pause', CYCLE, '--service', SERVICE, '--reason', 'a campaign');
    expect(paused).toMatchObject({ code: 0, stdout: expect.stringContaining(`pawl ab resume ${CYCLE}`) });
    expect((await pawl('ab', 'show', CYCLE, '--service', SERVICE)).stdout).toContain(' paused');
    const printed = await pawl('ab', 'resume', CYCLE, '--service', SERVICE, '--reason', 'over', '--print', '--json');
    expect(printed.json).toMatchObject({ kind: 'signal', name: 'resume', workflowId: handle.workflowId });
    const resumed = await pawl('ab', 'resume', CYCLE, '--service', SERVICE, '--reason', 'over', '--json');
    expect(resumed.json).toMatchObject({ accepted: true });
    expect((await handle.query(abStatusQuery)).paused).toBe(false);
  });

  test('asks nobody, so nobody can answer', async () => {
    const yes = await pawl('ab', 'promote', CYCLE, '--service', SERVICE, '--reason', 'please', '--yes', '--json');
    expect(errorOf(yes)).toMatchObject({ type: 'Refused', message: expect.stringContaining('asks nobody') });
    const no = await pawl('ab', 'reject', CYCLE, '--service', SERVICE, '--reason', 'no', '--json');
    expect(errorOf(no)).toMatchObject({ type: 'Refused' });
  });

  test('is followed to its end, which the exit code tells', async () => {
    const watching = pawl('ab', 'watch', CYCLE, '--service', SERVICE);
    const abort = await pawl('ab', 'abort', CYCLE, '--service', SERVICE, '--reason', 'enough');
    expect(abort.code).toBe(0);
    const { code, stdout } = await watching;
    expect({ code, stdout }).toMatchObject({ code: 23, stdout: expect.stringContaining('aborted: enough') });
    expect(stdout).toContain('share    50 %');
    const late = await pawl('ab', 'abort', CYCLE, '--service', SERVICE, '--reason', 'again', '--json');
    expect(errorOf(late)).toMatchObject({ type: 'NotFound', hint: expect.stringContaining('pawl ab show') });
  });
});

test('an A/B evaluation that asks is answered with a signature on what was seen, and goes on', async () => {
  const cycle = 'si_2026_11_21_002';
  world.ab = abTo({ lookAtArms: looking(world.control) });
  const handle = await startAb(world, 'other', {
    trial: { cycle },
    plan: { undecided: 'ask', maximumMs: 300 },
  });
  await until(handle, ({ state }) => state === 'asking');
  const shown = await pawl('ab', 'show', cycle, '--service', 'other');
  expect(shown.stdout).toContain(`pawl ab promote ${cycle}`);
  const watching = pawl('ab', 'watch', cycle, '--service', 'other', '--json');
  const yes = await pawl('ab', 'promote', cycle, '--service', 'other', '--reason', 'worth it', '--yes');
  expect(yes).toMatchObject({ code: 0, stdout: expect.stringContaining('ada (operator) has decided') });
  const { code, stdout } = await watching;
  expect(code).toBe(0);
  const last: AbStatus = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(last.end).toMatchObject({ outcome: 'better', because: 'worth it (ada (operator))' });
});

describe('ab plan', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await folderWithData();
    expect((await pawlIn(folder, INIT)).code).toBe(0);
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('before anybody has asked anything says so', async () => {
    expect(errorOf(await pawlIn(folder, ['ab', 'plan', '--json']))).toMatchObject({ type: 'NoData' });
  });

  test('tells from the traffic how long each gain takes, the greater the sooner', async () => {
    const log = sqliteQueryLog(homePaths(folder).metrics);
    const now = Date.now();
    await log.append(
      Array.from({ length: 700 }, (_, n) => ({
        ...{ at: now - n * 600_000, service: 'docs', variant: 'v1', query: 'a bridge', ranked: ['bridge'] },
        ...{ latencyMs: 20 + (n % 7), error: null, cost: 0, subject: `subject ${n}`, answer: `answer ${n}` },
      })),
    );
    log.close();
    const { json, stderr } = await pawlIn(folder, ['ab', 'plan', '--metric', 'latency', '--json']);
    expect(stderr).toBe('');
    const { expectations, nth } = json as {
      nth: number;
      expectations: Array<{ gain: number; subjectsPerDay: number; subjectsNeeded: number; days: number }>;
    };
    expect(nth).toBe(1);
    expect(expectations.map(({ gain }) => gain)).toEqual([0.03, 0.05, 0.1]);
    expect(expectations.map(({ subjectsPerDay }) => subjectsPerDay)).toEqual([144, 144, 144]);
    const days = expectations.map((one) => one.days);
    expect(days).toEqual(days.toSorted((a, b) => b - a));
    const { stdout, code } = await pawlIn(folder, ['ab', 'plan', '--metric', 'latency']);
    expect(code).toBe(0);
    expect(stdout).toContain('docs, by latency, of about 144 subjects a day');
    expect(stdout).toContain('docs/guide/ab.md');
  });
});
