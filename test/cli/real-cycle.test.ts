/** A cycle that people approved, by the built-in stages on a real server: its history and its evidence, replayed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/activity';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStageActivities } from '../../activities/stages.ts';
import { revokePerson } from '../../adapters/keys/people.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { triggerId } from '../../contracts/ids.ts';
import type { Admission } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import { writeService } from '../../drills/service-home.ts';
import { environmentAt } from '../../infra/setup/environment.ts';
import { evidenceActivities } from '../../workers/data.ts';
import { type HomeDeps, openHome } from '../../workers/home.ts';
import { testPlan } from '../support/plan.ts';
import { eventually } from '../support/requests.ts';
import { type CliWorld, createCliWorld } from './cli-world.ts';

interface Replayed {
  readonly agrees: boolean;
  readonly problems: readonly string[];
  readonly history: { readonly events: number; readonly replays: boolean };
  readonly decisions: ReadonlyArray<{ what: string; derived: string; agrees: boolean | null }>;
}

let world: CliWorld;
let deps: HomeDeps;
let cycle: string;
beforeAll(async () => {
  world = await createCliWorld();
  writeService(world.home, 'docs', {});
  deps = openHome(environmentAt(world.home));
  await serve(world.champion, 3);
  await baseline(0.9);
  world.stages = withVisitors(createStageActivities(deps));
  world.sealEvidence = evidenceActivities(deps, world.home).sealEvidence;
  world.plan = testPlan({
    gates: [{ name: 'ndcg', metric: 'ndcg', rule: { drop: 0.03 }, samples: 20, windowMs: 3_600_000, withinMs: 1 }],
    training: { trials: 14, seconds: 60, seed: 7 },
    approval: { expiresMs: 600_000 },
  });
  await world.pawl('gold', 'set', '--reason', 'checked by hand');
  await world.pawl('rearm', '--reason', 'gold is good');
  cycle = await approvedCycle();
}, 180_000);
afterAll(async () => {
  deps?.close();
  await world?.end();
});

const serve = (variant: string, place: number): Promise<void> => {
  const rows = Array.from({ length: 60 }, (_, at): ServedQuery => {
    const noun = ['buffer', 'token', 'timer', 'page'][at % 4];
    const ranked = [...Array.from({ length: place }, (_, n) => `other-${n}`), `read-${noun}`];
    const of = { at: Date.now(), service: 'docs', variant, latencyMs: 5, error: null, cost: 1e-6 };
    return { ...of, query: `how to read the ${noun}s here`, ranked };
  });
  return deps.queryLog.append(rows);
};
const baseline = (value: number): Promise<void> => {
  const readings = { ndcg: { value, n: 100, low: value - 0.01, high: value + 0.01 } };
  const moment = new Date().toISOString();
  const vitals = { service: 'docs', variant: world.champion, from: moment, to: moment, readings };
  return deps.control.setBaseline({ key: 'baseline', variant: world.champion, vitals });
};
/** While the challenger is watched, both variants are asked. */
const withVisitors = (stages: StageActivities): StageActivities => ({
  ...stages,
  watch: async (input) => {
    await serve(input.champion, 3);
    await serve(input.challenger, 0);
    return stages.watch(input);
  },
});
const approvedCycle = async (): Promise<string> => {
  const admission: Admission = await world.client.workflow.execute('trigger', {
    workflowId: triggerId('docs', 'real'),
    taskQueue: queues.control,
    args: [{ service: 'docs', trigger: 'gate', reason: 'ndcg fell' }],
  });
  if (!admission.admitted) throw new Error(admission.because);
  const handle = world.client.workflow.getHandle(admission.workflowId);
  await eventually(
    () => handle.query<{ approval: unknown; end: unknown }>('status'),
    ({ approval, end }) => approval !== null || end !== null,
  );
  const approved = await world.pawl('approve', admission.cycle, '--reason', 'looks right', '--yes');
  if (approved.code !== 0) throw new Error(approved.stderr);
  await handle.result();
  return admission.cycle;
};
const replayed = async (...more: readonly string[]) => {
  const { code, json } = await world.pawl('cycle', 'replay', cycle, '--json', ...more);
  return { code, ...(json as Replayed) };
};

test('its evidence is whole, with the approval and its token', async () => {
  const { code, stdout } = await world.pawl('evidence', 'verify', cycle);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  const file = join(world.home, '.pawl/artifacts/docs', cycle, 'approvals.json');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    schema: 'pawl/approvals/v1',
    approvals: [{ person: 'ada', role: 'operator', reason: 'looks right', token: expect.stringMatching(/^\S+\.\S+$/) }],
  });
});

test('its history replays, and every decision follows from its evidence', async () => {
  const result = await replayed();
  expect(result.problems).toEqual([]);
  expect(result).toMatchObject({ code: 0, agrees: true, history: { replays: true } });
  expect(result.history.events).toBeGreaterThan(50);
  const agreed = result.decisions.filter(({ agrees }) => agrees).map(({ what }) => what);
  expect(agreed).toEqual(['gate ndcg', 'training', 'offline verdict', 'approval', 'watch', 'end']);
});

test('a history that today’s code would not have written does not replay, and it says where', async () => {
  const history = await world.client.workflow.getHandle(`pawl:docs:cycle:${cycle}`).fetchHistory();
  const file = join(world.home, 'history.json');
  writeFileSync(file, historyToJSON(history));
  expect(await replayed('--history', file)).toMatchObject({ code: 0, history: { replays: true } });
  writeFileSync(file, historyToJSON(history).replaceAll('"diagnose"', '"divine"'));
  const result = await replayed('--history', file);
  expect(result).toMatchObject({ code: 13, history: { replays: false } });
  expect(result.problems[0]).toMatch(/^the history does not replay: .*(diagnose|divine)/s);
});

test('an approver who is revoked afterwards had approved; one whom nobody knows had not', async () => {
  const file = join(world.home, 'people.json');
  const before = readFileSync(file, 'utf8');
  await revokePerson(world.home, 'ada', 'left the team', new Date().toISOString());
  expect(await replayed('--no-history')).toMatchObject({ code: 0 });
  writeFileSync(file, '{ "people": [] }');
  const result = await replayed('--no-history');
  expect(result.code).toBe(13);
  expect(result.decisions.find(({ what }) => what === 'approval')).toMatchObject({
    agrees: false,
    derived: expect.stringContaining('a key that is not in people.json'),
  });
  writeFileSync(file, before);
});

test('what if two people had to approve: it would have waited for another one', async () => {
  const { stdout, code } = await world.pawl('cycle', 'replay', cycle, '--no-history', '--what-if', 'approval.quorum=2');
  expect(code).toBe(0);
  expect(stdout).toContain('not approved by ada, 2 needed');
  expect(stdout).toContain('would have gone on to approve: not recorded');
});

test('the checker, which shares no code with it, finds nothing wrong with what was sealed', async () => {
  const { code, stdout } = await world.pawl('check');
  expect({ code, stdout }).toMatchObject({ code: 0 });
});

test('a cycle whose evidence could not be sealed is derived from the history of its workflow, and is told apart', async () => {
  world.plan = { ...world.plan, mode: 'observe' };
  world.sealEvidence = async () => {
    throw ApplicationFailure.nonRetryable('no space left', 'DiskFull');
  };
  const { json } = await world.pawl('cycle', 'start', '--reason', 'a look', '--wait', '--json');
  expect(json).toMatchObject({ end: { outcome: 'kept' } });
  const { code, ...result } = await world.pawl('cycle', 'replay', 'latest', '--json');
  const { problems, decisions } = result.json as Replayed;
  expect(code).toBe(13);
  expect(problems).toContainEqual(expect.stringMatching(/^its evidence was never sealed: .*no space left/));
  expect(decisions.filter(({ agrees }) => agrees).map(({ what }) => what)).toEqual(
    expect.arrayContaining(['start by ada', 'gate ndcg', 'end']),
  );
});
