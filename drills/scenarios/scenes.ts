/** What goes wrong, how it is made to, and how it must end. */
import { setTimeout as pause } from 'node:timers/promises';
import type { CanaryStatus } from '../../contracts/canary-messages.ts';
import type { Processes, ProcessName } from '../processes.ts';
import type { Fault } from './faults.ts';

export interface Scene {
  readonly processes: Processes;
  readonly champion: string;
  readonly challenger: string;
  /** From now on this variant is bad. */
  strike(variant: string, fault: Fault): void;
  /** As the canary tells it; what it does not tell because nobody answers is waited for. */
  until(seen: (status: CanaryStatus) => boolean): Promise<CanaryStatus>;
  /** Nobody can write to the control store until it is let go. */
  lockStore(): () => void;
  /** A quick look at the fast gates, as its schedule takes one. */
  quickLook(): Promise<void>;
  readonly signal: AbortSignal;
}

export interface Scenario {
  readonly name: string;
  readonly about: string;
  /** What the service has when it begins. */
  readonly begins: 'with a canary' | 'after a promotion';
  /** Made while the challenger has a share, or serves; it may take its time. */
  goesWrong(scene: Scene): Promise<void>;
  /** How the cycle may end, and who serves then. */
  readonly ends: { readonly outcome: string; readonly serves: 'champion' | 'challenger' };
  /** Until everybody has the champion again; null where nothing is to be noticed. */
  readonly promised: Promised | null;
}
export interface Promised {
  /** Since the fault, without what the trial itself has held up. */
  readonly faultMs: number;
  /** Since the verdict, or since what stood in its way was gone. */
  readonly verdictMs: number;
}

/** It is looked every 10 s. */
const USUAL: Promised = { faultMs: 30_000, verdictMs: 2_000 };
/** An attempt that finds the store locked is repeated within five seconds, and takes two at most. */
const AFTER_A_LOCK: Promised = { ...USUAL, verdictMs: 7_000 };
/** From the start of the fix: it is admitted, looks for itself, chooses, and moves traffic. */
const BY_A_FIX: Promised = { ...USUAL, verdictMs: 10_000 };
/** What a worker that was killed takes to be of use again. */
const AFTER_A_KILL: Promised = { ...USUAL, verdictMs: 15_000 };

/** As its supervisor starts it anew. */
const RESTART_AFTER_MS = 500;
const killAndRestart = async ({ processes }: Scene, name: ProcessName, awayMs = RESTART_AFTER_MS): Promise<void> => {
  await processes.kill(name);
  await pause(awayMs);
  await processes.start(name);
};

const SLOW: Fault = { does: 'slow', ms: 250 };
const hasFailed = ({ analyses, end }: CanaryStatus): boolean =>
  end !== null || analyses.some(({ outcome }) => outcome === 'failed' || outcome === 'error');

const badCanary = (name: string, about: string, fault: Fault): Scenario => ({
  ...{ name: `bad-canary-${name}`, about, begins: 'with a canary', promised: USUAL },
  goesWrong: async ({ strike, challenger }) => strike(challenger, fault),
  ends: { outcome: 'rolled back', serves: 'champion' },
});

export const SCENARIOS: readonly Scenario[] = [
  badCanary('slow', 'the challenger becomes slow', SLOW),
  badCanary('erroring', 'a third of the questions to the challenger fail', { does: 'fail', share: 0.3 }),
  badCanary('wrong', 'the challenger leaves the best answers out', { does: 'mislead' }),
  badCanary('leaking', 'the challenger keeps all it ever answered, and looks through it each time', {
    ...{ does: 'leak', bytes: 2 ** 20, most: 2 ** 28 },
  }),
  {
    ...{ name: 'metrics-die', about: 'whoever measures dies in mid-analysis, and is away for 20 s', promised: null },
    begins: 'with a canary',
    goesWrong: (scene) => killAndRestart(scene, 'worker-data', 20_000),
    ends: { outcome: 'promoted', serves: 'challenger' },
  },
  {
    ...{
      name: 'store-locked',
      about: 'the traffic store cannot be written when traffic has to go back',
      promised: AFTER_A_LOCK,
    },
    begins: 'with a canary',
    goesWrong: async ({ strike, challenger, lockStore, until }) => {
      const unlock = lockStore();
      strike(challenger, SLOW);
      await until(hasFailed);
      await pause(3_000);
      unlock();
    },
    ends: { outcome: 'rolled back', serves: 'champion' },
  },
  {
    ...{ name: 'kill-in-mid-step', about: 'who steers the canary is killed while a step is taken', promised: null },
    begins: 'with a canary',
    goesWrong: async (scene) => {
      const now = (await scene.until(({ step }) => step !== null)).weight;
      await scene.until(({ weight, end }) => weight > now || end !== null);
      await killAndRestart(scene, 'worker-control');
    },
    ends: { outcome: 'promoted', serves: 'challenger' },
  },
  {
    name: 'worker-dies-before-rollback',
    about: 'who steers the canary is killed between the verdict and the rollback',
    ...{ begins: 'with a canary', promised: AFTER_A_KILL },
    goesWrong: async (scene) => {
      const unlock = scene.lockStore();
      scene.strike(scene.challenger, SLOW);
      await scene.until(hasFailed);
      // The store has kept it from going back so far; it is killed before it can.
      await scene.processes.kill('worker-control');
      unlock();
      await pause(RESTART_AFTER_MS);
      await scene.processes.start('worker-control');
    },
    ends: { outcome: 'rolled back', serves: 'champion' },
  },
  {
    ...{ name: 'champion-goes-bad', about: 'who was promoted fails once it serves everybody', promised: BY_A_FIX },
    begins: 'after a promotion',
    goesWrong: async ({ strike, challenger, quickLook, signal }) => {
      strike(challenger, { does: 'fail', share: 0.5 });
      while (!signal.aborted) {
        await pause(5_000, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) await quickLook();
      }
    },
    ends: { outcome: 'promoted', serves: 'champion' },
  },
];
