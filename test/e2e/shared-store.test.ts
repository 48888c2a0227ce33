/** Gateways, workers and people of two homes on one store in PostgreSQL, all at once: whatever moves traffic passes the fence. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { readVkey } from '../../adapters/ledger/signed-note.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { CycleEnd } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { StateAnswer } from '../../contracts/traffic.ts';
import { eventually } from '../../drills/eventually.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { fenced, grantedOnce } from '../support/fence.ts';
import { Guests } from '../support/guests.ts';
import type { LiveCycle } from '../support/live-cycles.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { replayEverything } from '../support/replay-everything.ts';
import { type SharedHome, type SharedHomes, startSharedHomes } from '../support/shared-homes.ts';
import { workflowBundle } from '../support/temporal.ts';

const settings = {
  approval: '{ required: true, expires: 1h }',
  training: '{ trials: 20, time: 20s, seed: 7 }',
  watch: '{ for: 4s, samples: 10, maxDrop: 3% }',
};
const ENOUGH = 40;

const staleActor = ({ variables }: SharedHome, name: string, variant: string) => {
  const { PATH, HOME } = readEnvironment().variables;
  const child = spawn(process.execPath, [join(import.meta.dirname, 'stale-actor.ts'), name, variant], {
    env: { PATH, HOME, ...variables },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  return { child, exit: once(child, 'exit'), told: text(child.stdout) };
};

describe.skipIf(postgresPrograms === null)('two homes that share a store', () => {
  const server = postgresServer();
  let shared: SharedHomes;
  let guests: readonly Guests[];
  let actors: ReadonlyArray<ReturnType<typeof staleActor>>;
  /** What the stale actors want to see served. */
  let rogue: string;
  const ended: Array<LiveCycle & { end: CycleEnd }> = [];
  let keys = 0;
  const order = (by: string) => ({
    key: `${by}/${++keys}`,
    service: SERVICE,
    actor: { kind: 'drill', name: by },
    reason: 'for the test',
  });

  beforeAll(async () => {
    shared = await startSharedHomes(server.address(), settings);
    const { control, artifacts } = shared.homes[0].deps;
    const variant = await saveVariant(artifacts, SERVICE, { ...DEFAULT_SETTINGS, stopShare: 0.37 });
    await control.addVariant({ ...variant, service: SERVICE, origin: 'hand', createdAt: new Date().toISOString() });
    rogue = variant.id;
    guests = shared.homes.map(({ processes }) => new Guests(processes.gateway, shared.wishes));
    for (const some of guests) some.start();
    actors = shared.homes.map((home, n) => staleActor(home, `late-${n}`, rogue));
  }, 90_000);
  afterAll(async () => {
    for (const { child } of actors ?? []) kill(child);
    await Promise.all((guests ?? []).map((some) => some.stop()));
    await shared?.end();
  });

  /** So many new questions at each gateway, all asked and answered after this moment. */
  const answersFromNowOn = async (least = ENOUGH): Promise<ReadonlyArray<ReadonlySet<string | null>>> => {
    const now = Date.now();
    const since = () => guests.map(({ asked }) => asked.filter(({ from }) => from > now));
    const all = await eventually(since, (some) => some.every(({ length }) => length >= least));
    return all.map((some) => new Set(some.map(({ variant }) => variant)));
  };
  const onlyFrom = (variant: string | null) => [new Set([variant]), new Set([variant])];
  const endOf = async (cycle: LiveCycle): Promise<CycleEnd> => {
    const end = await shared.endOf(cycle);
    ended.push({ ...cycle, end });
    return end;
  };
  /** The home whose worker holds the cycle's workflow. */
  const steering = async (cycle: LiveCycle): Promise<SharedHome> => {
    const [first, second] = shared.homes;
    const { steered } = await workersOf(cycle);
    return steered.at(-1) === `${queues.control}@${first.processes.pidOf('worker-control')}` ? first : second;
  };
  const state = () => shared.homes[0].deps.control.state(SERVICE);

  test('what a cycle promotes is served by both gateways; what is killed in one home serves gold in both', async () => {
    const cycle = await shared.startCycle();
    await shared.approve(cycle, await shared.untilAsked(cycle));
    const end = await endOf(cycle);
    expect(end).toMatchObject({ outcome: 'promoted', challenger: expect.any(String) });
    const { challenger } = end;
    await eventually(
      () => answersFromNowOn(),
      (seen) => seen.every((variants) => variants.size === 1 && variants.has(challenger)),
    );
    const killed = await shared.homes[1].pawl('kill', '--reason', 'wrong answers', '--json');
    expect(killed).toMatchObject({ code: 0, json: { way: 'guardian' } });
    expect(await answersFromNowOn()).toEqual(onlyFrom(shared.gold));
    await shared.homes[0].deps.control.arm(order('first'));
  }, 90_000);

  test('a cycle that goes from home to home and is fenced off moves nothing, though the service is armed again at once', async () => {
    const cycle = await shared.startCycle();
    const asked = await shared.untilAsked(cycle);
    for (const { processes } of shared.homes) processes.freeze('worker-data');
    const { processes: theirs } = await steering(cycle);
    await theirs.kill('worker-control');
    await shared.approve(cycle, asked);
    await eventually(state, (now) => now?.arms.length === 2); // By the other home.
    const restarted = theirs.start('worker-control');
    const [one, other] = await answersFromNowOn();
    for (const variants of [one, other]) expect(variants).toEqual(new Set([shared.gold, asked.variant]));

    const [first, second] = shared.homes;
    expect(await second.deps.control.kill(order('second'))).toMatchObject({ outcome: 'done' });
    expect(await first.deps.control.arm(order('first'))).toMatchObject({ outcome: 'done', state: { latch: 'armed' } });
    for (const { processes } of shared.homes) processes.thaw('worker-data');
    expect(await answersFromNowOn()).toEqual(onlyFrom(shared.gold));
    expect(await endOf(cycle)).toMatchObject({ outcome: 'killed' });
    expect(await answersFromNowOn()).toEqual(onlyFrom(shared.gold));
    expect(await state()).toMatchObject({ latch: 'armed', champion: shared.gold });
    await restarted;
  }, 90_000);

  test('a kill and a promotion that race: the cycle was promoted once or killed, and gold serves', async () => {
    const cycle = await shared.startCycle();
    await shared.approve(cycle, await shared.untilAsked(cycle));
    const { control } = shared.homes[1].deps;
    // The policy has just let the promotion pass, and the worker is about to make it.
    const decisions = () => control.ledger({ cycle: cycle.cycle, kind: 'decision' });
    await eventually(decisions, (rows) => rows.some(({ body }) => body.action === 'promote'), 1);
    expect(await control.kill(order('second'))).toMatchObject({ outcome: 'done' });
    expect(await answersFromNowOn()).toEqual(onlyFrom(shared.gold));
    expect(['promoted', 'killed']).toContain((await endOf(cycle)).outcome);
    expect(await state()).toMatchObject({ latch: 'killed', champion: shared.gold, arms: [{ variant: shared.gold }] });
  }, 90_000);

  test('nobody who came too late moved anything, and the ledger tells it all', async () => {
    for (const { child } of actors) child.stdin.end();
    for (const { exit } of actors) expect(await exit).toEqual([0, null]);
    const { control } = shared.homes[1].deps;
    const rows = await control.ledger({});
    const inLedger = new Map(rows.map(({ body }) => [body.key, body.outcome]));
    for (const { told } of actors) {
      const answers = (await told)
        .trim()
        .split('\n')
        .map((line): { key: string } & StateAnswer => JSON.parse(line));
      const why = answers.map((answer) => (answer.outcome === 'refused' ? answer.because : answer.outcome));
      expect(new Set(why)).toEqual(new Set(['stale epoch', 'stale promotion']));
      for (const { key, outcome } of answers) expect([key, inLedger.get(key)]).toEqual([key, outcome]);
    }
    fenced(rows);
    grantedOnce(rows);
    for (const { cycle, end } of ended) {
      const shifts = rows.filter((row) => row.cycle === cycle && row.kind === 'shift' && row.body.outcome === 'done');
      const promotions = shifts.filter(({ reason }) => reason === 'promote');
      expect([cycle, promotions.length]).toEqual([cycle, end.outcome === 'promoted' ? 1 : 0]);
    }
    const key = readVkey((await control.ledgerKey()) ?? '');
    expect(await auditStore({ control, key })).toMatchObject({ signature: 'good', findings: [] });
    await replayEverything(shared.client, workflowBundle());
  }, 60_000);

  test('the workers of both homes looked at the data', async () => {
    const who = (await Promise.all(ended.map(workersOf))).flatMap(({ worked }) => worked);
    for (const { processes } of shared.homes) expect(who).toContain(`${queues.data}@${processes.pidOf('worker-data')}`);
  });

  test('the evidence of a cycle is whole in both homes, whichever of them sealed it', async () => {
    const [{ cycle } = { cycle: '' }] = ended;
    const checked = await Promise.all(shared.homes.map(({ pawl }) => pawl('evidence', 'verify', cycle, '--json')));
    for (const { code, json } of checked) expect({ code, json }).toMatchObject({ code: 0, json: { good: true } });
  });

  test('nobody who asked meanwhile was turned away, or met what the stale actors wanted', async () => {
    await Promise.all(guests.map((some) => some.stop()));
    for (const { asked } of guests) {
      expect(asked.filter(({ status }) => status !== 200)).toEqual([]);
      expect(asked.filter(({ variant }) => variant === rogue)).toEqual([]);
    }
  });
});

/** Whose workers took its workflow tasks and its activities, in their order. */
const workersOf = async ({ handle }: LiveCycle) => {
  const { events } = await handle.fetchHistory();
  const all = events ?? [];
  return {
    steered: all.flatMap(({ workflowTaskStartedEventAttributes: started }) => started?.identity ?? []),
    worked: all.flatMap(({ activityTaskStartedEventAttributes: started }) => started?.identity ?? []),
  };
};

const kill = (child: ChildProcess): void => {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
};
