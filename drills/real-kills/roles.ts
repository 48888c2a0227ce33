/** What is killed, and when it does useful work again. */
import { statSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { guardianId } from '../../contracts/ids.ts';
import { guardianStatusQuery, type StageReport } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { DEFAULT_RULE, pauseBeforeNext } from '../../infra/up/restarts.ts';
import { type Processes, type ProcessName, WORKERS } from '../processes.ts';
import type { Cycles } from './cycles.ts';
import type { Searchers } from './searchers.ts';

/** SQLite has no process of its own: to kill the store is to kill at once all who have its files open, in a write. */
export const ROLES = [...WORKERS, 'gateway', 'temporal', 'store'] as const;
export type Role = (typeof ROLES)[number];

export const VICTIMS: Readonly<Record<Role, readonly ProcessName[]>> = {
  'worker-control': ['worker-control'],
  'worker-data': ['worker-data'],
  'worker-train': ['worker-train'],
  gateway: ['gateway'],
  temporal: ['temporal'],
  store: ['gateway', ...WORKERS],
};

const DATA: ReadonlySet<Stage> = new Set(['monitor', 'diagnose', 'augment', 'evaluate', 'watch', 'learn']);
const TRAIN: ReadonlySet<Stage> = new Set(['train']);
/** In which stages a cycle needs who was killed; any stage, where it is not said. */
export const NEEDED_IN: Partial<Record<Role, ReadonlySet<Stage>>> = { 'worker-data': DATA, 'worker-train': TRAIN };

export interface Scene {
  readonly processes: Processes;
  readonly client: Client;
  readonly services: readonly string[];
  readonly cycles: Cycles;
  readonly searchers: Searchers;
  readonly signal: AbortSignal;
  /** The store's write-ahead log. */
  readonly wal: string;
}

const POLL_MS = 200;
const PATIENCE_MS = 2_000;
const WRITE_WITHIN_MS = 2_000;

/** All of them at once, and each is started anew as the supervisor would; resolves with the moment of the kill. */
export const killAndRestart = async (role: Role, scene: Scene): Promise<{ at: number; restarted: Promise<void> }> => {
  const { processes } = scene;
  if (role === 'store') await untilWritten(scene.wal);
  const at = Date.now();
  const killed = VICTIMS[role].map((name) => processes.kill(name));
  const restarted = Promise.all(killed).then(async () => {
    await pause(pauseBeforeNext([DEFAULT_RULE.steadyMs], DEFAULT_RULE) ?? 0);
    await Promise.all(VICTIMS[role].map((name) => processes.start(name)));
  });
  return { at, restarted: restarted.then(() => undefined) };
};

/** Resolves once what was killed at this moment does useful work again. */
export const usefulAgain = (role: Role, since: number, scene: Scene): Promise<unknown> =>
  RECOVERIES[role](since, scene);

type Recovery = (since: number, scene: Scene) => Promise<unknown>;

/** A workflow answers: nobody but the new worker can have answered it. */
const workflowAnswers: Recovery = (_, { client, services, signal }) =>
  poll(signal, async () => {
    const guardian = client.workflow.getHandle(guardianId(services[0] ?? ''));
    await client.withDeadline(Date.now() + PATIENCE_MS, () => guardian.query(guardianStatusQuery));
    return true;
  });
const stageEnds =
  (stages: ReadonlySet<Stage>): Recovery =>
  (since, { cycles, signal }) =>
    poll(signal, async () =>
      (await cycles.stages()).some(
        ({ stage, state, endedAt }) => stages.has(stage) && state === 'done' && after(endedAt, since),
      ),
    );
const cyclesMove: Recovery = (since, { cycles, signal }) =>
  poll(signal, async () =>
    (await cycles.stages()).some(({ startedAt, endedAt }) => after(startedAt, since) || after(endedAt, since)),
  );
const searchIsAnswered: Recovery = (since, { searchers }) => searchers.answeredAfter(since);

const RECOVERIES: Readonly<Record<Role, Recovery>> = {
  'worker-control': workflowAnswers,
  'worker-data': stageEnds(DATA),
  'worker-train': stageEnds(TRAIN),
  gateway: searchIsAnswered,
  temporal: cyclesMove,
  store: (since, scene) =>
    Promise.all(
      [workflowAnswers, stageEnds(new Set([...DATA, ...TRAIN])), searchIsAnswered].map((one) => one(since, scene)),
    ),
};

const after = (moment: StageReport['endedAt'], since: number): boolean => moment !== null && Date.parse(moment) > since;

const poll = async (signal: AbortSignal, ask: () => Promise<boolean>): Promise<void> => {
  while (!signal.aborted) {
    if (await ask().catch(() => false)) return;
    await pause(POLL_MS);
  }
};

/** Returns as soon as somebody writes, so that whoever is killed now is killed in the middle of it. */
const untilWritten = async (wal: string): Promise<void> => {
  const before = writtenAt(wal);
  for (const until = Date.now() + WRITE_WITHIN_MS; Date.now() < until && writtenAt(wal) === before; ) await pause(1);
};
const writtenAt = (wal: string): number => statSync(wal, { throwIfNoEntry: false })?.mtimeMs ?? 0;
