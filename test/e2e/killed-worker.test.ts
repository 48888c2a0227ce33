import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { violationsOf } from '../../check/check.ts';
import { eventually } from '../../drills/eventually.ts';
import type { WorkerName } from '../../drills/processes.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { type LiveCycle, type LiveService, startLiveService } from '../support/live-service.ts';
import { lockStore } from '../support/lock-store.ts';
import { replayEverything } from '../support/replay-everything.ts';
import { workflowBundle } from '../support/temporal.ts';

/** The built-in stages, given up for lost sooner than usual, because each of them will be. */
const stage = (activity: string, taskQueue = 'pawl-data') =>
  `{ activity: ${activity}, taskQueue: ${taskQueue}, timeout: 1m, heartbeat: 4s }`;
const STAGES = `{ ${[
  ...['diagnose', 'augment', 'evaluate', 'watch', 'learn'].map((name) => `${name}: ${stage(name)}`),
  `monitor: ${stage('findBreach')}`,
  `train: ${stage('train', 'pawl-train-gpu')}`,
].join(', ')} }`;

const ASKED = '{ required: true, expires: 1h }';

/** Stages whose work is an activity of a worker of its own, in their order. */
const OFFLINE: ReadonlyArray<readonly [activity: string, worker: WorkerName]> = [
  ['findBreach', 'worker-data'],
  ['diagnose', 'worker-data'],
  ['augment', 'worker-data'],
  ['train', 'worker-train'],
  ['evaluate', 'worker-data'],
];

test('a cycle goes on to its end, and does nothing twice, when a worker is killed in every stage', async () => {
  const live = await startLiveService({ settings: { stages: STAGES, approval: ASKED } });
  onTestFinished(live.end);
  const { processes, control } = live;

  processes.freeze('worker-data');
  const cycle = await live.startCycle();
  await live.untilBegun(cycle, 'findBreach');
  await revive(live, 'worker-control');
  for (const [activity, worker] of OFFLINE) await killIn(live, cycle, activity, worker);

  processes.thaw('worker-control');
  const asked = await live.untilAsked(cycle);
  await processes.kill('worker-control');
  await live.approve(cycle, asked);
  await processes.start('worker-control');

  // In deploy it dies when the effect is there and nobody was told of it; in promote before there is any effect.
  processes.freeze('worker-data');
  await eventually(() => control.ledger({ cycle: cycle.cycle }), has('grant'), 5);
  untilWritten(live, cycle, 'deploy');
  await revive(live, 'worker-control');
  await live.untilBegun(cycle, 'watch');
  const release = lockStore(live.home);
  await revive(live, 'worker-data');

  await live.untilBegun(cycle, 'shiftTraffic');
  processes.freeze('worker-data');
  await processes.kill('worker-control');
  release();
  await processes.start('worker-control');
  await live.untilBegun(cycle, 'learn');
  await revive(live, 'worker-data');

  expect(await live.endOf(cycle)).toMatchObject({ outcome: 'promoted' });
  expect(violationsOf(live.home)).toEqual([]);
  const rows = await control.ledger({ cycle: cycle.cycle });
  const done = rows.filter(({ kind }) => kind === 'shift').map(({ reason, body }) => `${reason} ${body.outcome}`);
  expect(done).toEqual(['deploy done', 'promote done']);
  expect(rows.filter(({ kind }) => kind === 'learned')).toHaveLength(1);
  expect(await control.variants(SERVICE)).toHaveLength(2);
  const lost = [...OFFLINE.map(([activity]) => activity), 'watch', 'learn'];
  expect(await takenUpAgain(cycle)).toEqual(expect.arrayContaining(lost));
  await replayEverything(live.client, workflowBundle());
}, 180_000);

const revive = async ({ processes }: LiveService, worker: WorkerName): Promise<void> => {
  await processes.kill(worker);
  await processes.start(worker);
};

/**
 * Kills the worker that has this stage's task. A frozen worker is given the task and cannot finish it; and the workflow is
 * frozen while the stage is taken up again, so that the next stage begins only when its own worker is frozen too.
 */
const killIn = async (live: LiveService, cycle: LiveCycle, activity: string, worker: WorkerName): Promise<void> => {
  const { processes } = live;
  processes.freeze(worker);
  processes.thaw('worker-control');
  await live.untilBegun(cycle, activity);
  processes.freeze('worker-control');
  await revive(live, worker);
  await eventually(
    () => live.pending(cycle),
    (all) => all.every((one) => one.activity !== activity),
  );
};

const has =
  (kind: string) =>
  (rows: ReadonlyArray<{ readonly kind: string }>): boolean =>
    rows.some((row) => row.kind === kind);

/** Lets nothing else happen here until then, so that whoever kills the writer now is faster than its word of the success. */
const untilWritten = ({ home }: LiveService, { cycle }: LiveCycle, step: string): void => {
  const db = new DatabaseSync(homePaths(home).control, { readOnly: true });
  const written = db.prepare('SELECT 1 FROM ledger WHERE cycle = ? AND reason = ?');
  while (!written.get(cycle, step)) {}
  db.close();
};

/** Activities of which an attempt was lost. */
const takenUpAgain = async ({ handle }: LiveCycle): Promise<string[]> => {
  const { events } = await handle.fetchHistory();
  const names = new Map(
    events?.map(({ eventId, activityTaskScheduledEventAttributes: scheduled }) => [
      String(eventId),
      scheduled?.activityType?.name,
    ]),
  );
  return (events ?? []).flatMap(({ activityTaskStartedEventAttributes: started }) =>
    (started?.attempt ?? 0) > 1 ? [names.get(String(started?.scheduledEventId)) ?? ''] : [],
  );
};
