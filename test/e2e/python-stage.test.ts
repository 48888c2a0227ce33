import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import type { Diagnosis } from '../../contracts/stages.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolvePython } from '../../infra/setup/python.ts';
import { testPlan } from '../support/plan.ts';
import { startCycle, statusOf } from '../support/requests.ts';
import { createWorld, type World } from '../support/world.ts';

const python = await resolvePython(readEnvironment(), 'temporalio').catch(() => null);
const example = fileURLToPath(new URL('../../docs/examples/diagnose.py', import.meta.url));

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());

test.skipIf(python === null)('the stage of the docs, in Python, does its part of a cycle', async () => {
  const { stages } = testPlan();
  const diagnose = {
    runs: 'activity',
    name: 'diagnoseInPython',
    taskQueue: 'my-python',
    timeoutMs: 60_000,
    heartbeatMs: 10_000,
  } as const;
  world.plan = testPlan({ stages: { ...stages, diagnose } });
  const worker = spawn(python ?? '', [example, world.home, world.env.address], { stdio: 'inherit' });
  try {
    const { handle, cycle } = await startCycle(world);
    expect(await handle.result()).toMatchObject({ outcome: 'promoted' });
    const { stages: timeline } = await statusOf(handle);
    expect(timeline.find(({ stage }) => stage === 'diagnose')?.summary).toBe('1 gates are breached, seen from Python.');

    const evidence = await evidenceOf(cycle);
    expect(evidence).toMatchObject({ cycle, breaches: [{ gate: 'ndcg', state: 'breach' }] });
  } finally {
    worker.kill();
    await once(worker, 'exit');
  }
});

/** What the Python stage left behind, read through the artifact store, which checks its digest. */
const evidenceOf = async (cycle: string): Promise<unknown> => {
  const [end] = (await world.control.ledger({ cycle })).filter(({ kind }) => kind === 'cycle ended');
  const evidence = end?.body.evidence as { diagnose: Diagnosis['evidence'] } | undefined;
  if (!evidence) throw new Error(`${cycle} left no evidence`);
  return folderArtifacts(homePaths(world.home).artifacts).getJson(evidence.diagnose);
};
