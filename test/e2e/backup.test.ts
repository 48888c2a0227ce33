/** Backups of a service that works: cycles run, visitors ask, and another process writes to the store all the time. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { type BackupReport, backup } from '../../adapters/keeping/backup.ts';
import { erase } from '../../adapters/keeping/erase.ts';
import { gc } from '../../adapters/keeping/gc.ts';
import { restore } from '../../adapters/keeping/restore.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { violationsOf } from '../../check/check.ts';
import type { CycleEnd } from '../../contracts/messages.ts';
import { Processes } from '../../drills/processes.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { Visitors } from '../../infra/story/visitors.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { type LiveService, startLiveService } from '../support/live-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'pawl-backup-'));
let wishes: LiveService['wishes'];
let workflowId: string;
let whileTraining: BackupReport;
let whileWatching: BackupReport;

beforeAll(async () => {
  const service = await startLiveService({ settings: { watch: '{ for: 4s, samples: 20, maxDrop: 3% }' } });
  const { home, control } = service;
  const writer = spawn(process.execPath, [
    fileURLToPath(new URL('../keeping/noter.ts', import.meta.url)),
    homePaths(home).control,
  ]);
  const services = await servicesOf(home, null).all();
  const backedUp = (name: string) =>
    backup({ home, into: join(folder, name), services, withKeys: true, incomplete: false, now: Date.now });
  try {
    await once(writer.stdout, 'data');
    const cycle = await service.startCycle();
    ({ workflowId } = cycle.handle);
    ({ wishes } = service);
    await service.untilBegun(cycle, 'train');
    whileTraining = await backedUp('training');
    await service.untilBegun(cycle, 'watch');
    whileWatching = await backedUp('watching');
    // The home that was copied never noticed.
    expect((await service.endOf(cycle)).outcome).toBe('promoted');
    writer.kill('SIGKILL');
    await service.visitors.stop();
    expect(violationsOf(home)).toEqual([]);
    expect((await control.ledger({ kind: 'noted' })).length).toBeGreaterThan(whileWatching.manifest.ledger.rows / 2);
  } finally {
    writer.kill('SIGKILL');
    await service.end();
  }
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A restored home, with everything running in it and visitors who ask. */
const revived = async (from: BackupReport, armed: boolean) => {
  const actor = { kind: 'person', name: 'ada' };
  const into = `${from.folder}-restored`;
  const made = await restore({ backup: from.folder, into, keys: null, armed: armed ? async () => true : null, actor });
  const processes = await Processes.startAll(into);
  const visitors = new Visitors(processes.gateway);
  visitors.ask(wishes);
  visitors.start();
  const connection = await Connection.connect({ address: processes.temporal });
  const client = new Client({ connection, dataConverter });
  const control = sqliteControl(homePaths(into).control);
  onTestFinished(async () => {
    await visitors.stop();
    await connection.close();
    await processes.end();
    control.close();
  });
  const end = (await client.workflow.getHandle(workflowId).result()) as CycleEnd;
  await visitors.stop();
  const served = visitors.seen.filter(({ variant }) => variant !== null);
  return { made, end, control, served, home: into };
};

test('restored as it was, the cycle goes on from where it was, and ends as it would have', async () => {
  const { made, end, control, served, home } = await revived(whileTraining, true);
  expect(made.findings).toEqual([]);
  expect(end.outcome).toBe('promoted');
  expect((await control.state(SERVICE))?.champion).toBe(end.challenger);
  expect(served.length).toBeGreaterThan(0);
  expect(violationsOf(home)).toEqual([]);

  // A judged query goes out of this home, evidence of the cycle with it; the rest still verifies.
  const paths = homePaths(home);
  const wanted = { by: 'query text', text: 'how to read the files here' } as const;
  const actor = { kind: 'person', name: 'ada' };
  const erased = await erase({ paths, control, ownFiles: [] }, { wanted, reason: 'request 1', actor, dryRun: false });
  expect(erased.artifacts.length).toBeGreaterThan(0);
  const gone = { paths, control, artifacts: folderArtifacts(paths.artifacts), services: [], now: Date.now };
  await gc(gone, { olderThanMs: 3_600_000, dryRun: false, actor, reason: 'nothing needs it' });
  expect((await auditStore({ control, key: null })).findings).toEqual([]);
  expect(violationsOf(home)).toEqual([]);
}, 90_000);

test('restored in the middle of a watch and not armed, the cycle ends as killed, and gold serves all the traffic', async () => {
  const { made, end, control, served, home } = await revived(whileWatching, false);
  expect(made.findings).toEqual([]);
  expect(end.outcome).toBe('killed');
  const state = await control.state(SERVICE);
  expect(state).toMatchObject({ latch: 'killed', arms: [{ variant: state?.gold, share: 1 }] });
  expect(new Set(served.map(({ variant }) => variant))).toEqual(new Set([state?.gold]));
  expect(violationsOf(home)).toEqual([]);
}, 90_000);
