/**
 * The traffic of one canary.
 *
 * 1. A change is never cancelled half-way and is repeated until it is known; its key counts on when the workflow continues
 *    as new, so that no change is made twice and none gets the answer of another.
 * 2. What was ordered is not what serves: the router is read back after each change.
 */
import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { CanaryWindow } from '../../contracts/canary.ts';
import type { CanaryTraffic } from '../../contracts/canary-messages.ts';
import type { Arm, StateAnswer } from '../../contracts/traffic.ts';
import type { Trial } from '../../contracts/trial.ts';
import { canaryReads, store } from '../options.ts';
import { armsOf, armsSentence, sameArms } from './arms.ts';

/** A router that takes changes up late is asked for about ten seconds. */
const LOOKS = 20;
const BETWEEN_LOOKS_MS = 500;

export class Route {
  readonly #trial: Trial;
  #state: CanaryTraffic;

  constructor(trial: Trial, state: CanaryTraffic) {
    this.#trial = trial;
    this.#state = state;
  }

  get state(): CanaryTraffic {
    return this.#state;
  }

  /** Whether it may have changed anything. */
  get touched(): boolean {
    return this.#state.shifts > 0;
  }

  get arms(): readonly Arm[] {
    return this.#state.arms;
  }

  /** What the challenger gets of what is answered. */
  get weight(): number {
    return this.arms.find(({ variant }) => variant === this.#trial.challenger)?.share ?? 0;
  }

  /** Whom an analysis is about. */
  window(now: string): CanaryWindow {
    const { service, challenger, champion } = this.#trial;
    const { twin, since, weight, mirror } = this.#state;
    const mirrored = weight === 0 && mirror > 0;
    return { service, challenger, baseline: twin ?? champion, since: since ?? now, ...(mirrored && { mirrored }) };
  }

  async change(
    step: string,
    what: string,
    next: Partial<Pick<CanaryTraffic, 'weight' | 'mirror' | 'twin'>>,
  ): Promise<StateAnswer> {
    const before = this.#state;
    const after = { ...before, ...next };
    const answer = await this.#shift(`${step}: ${what}`, armsOf(this.#trial, after));
    if (answer.outcome === 'done') this.#state = { ...this.#state, ...next, since: sinceOf(before, after) };
    return answer;
  }

  promote(): Promise<StateAnswer> {
    const { challenger } = this.#trial;
    return this.#shift('canary: promotion', [{ variant: challenger, share: 1 }], challenger);
  }

  back(): Promise<StateAnswer> {
    return this.#shift('canary: back to the champion', this.#trial.arms);
  }

  async #shift(reason: string, arms: readonly Arm[], champion?: string): Promise<StateAnswer> {
    const { service, cycle, token } = this.#trial;
    this.#state = { ...this.#state, shifts: this.#state.shifts + 1 };
    const key = `${workflowInfo().workflowId}/${this.#state.shifts}`;
    const actor = { kind: 'cycle', name: cycle };
    const change = { key, service, cycle, actor, reason, token, arms, ...(champion !== undefined && { champion }) };
    const answer = await CancellationScope.nonCancellable(() =>
      store.shiftTraffic.executeWithOptions({ summary: `${reason}: serving ${armsSentence(arms)}` }, [change]),
    );
    if (answer.outcome === 'done') this.#state = { ...this.#state, arms };
    return answer;
  }

  /** Whether the router has come to show what serves by the last change. */
  async shows(): Promise<boolean> {
    for (let look = 1; ; look++) {
      const seen = await this.#read();
      if (seen && sameArms(seen, this.arms)) return true;
      if (look >= LOOKS) return false;
      await sleep(BETWEEN_LOOKS_MS, { summary: 'until the router is read again' });
    }
  }

  /** A router that cannot be read shows nothing. */
  async #read(): Promise<readonly Arm[] | null> {
    try {
      return await canaryReads.readRoute({ service: this.#trial.service });
    } catch (error) {
      if (isCancellation(error)) throw error;
      return null;
    }
  }
}

/** Measured is what the challenger does in the present way: nothing from before it had a share, nor from before its twin. */
const sinceOf = (before: CanaryTraffic, after: CanaryTraffic): string | null => {
  if (after.weight === 0 && after.mirror === 0) return null;
  const goesOn = before.since !== null && before.twin === after.twin && before.weight > 0 === after.weight > 0;
  return goesOn ? before.since : new Date().toISOString();
};
