/** Cycles one after the other on several services at once, and what is seen of them from outside. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, isGrpcServiceError, ServiceError, WorkflowFailedError } from '@temporalio/client';
import type { ControlStore } from '../../adapters/control/port.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { triggerId } from '../../contracts/ids.ts';
import { type Admission, type CycleEnd, cycleStatusQuery, type StageReport } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { DRILL } from '../service-home.ts';

export interface RunCycle {
  readonly service: string;
  readonly cycle: string;
  /** Which one of its service: the first one builds what the others find. */
  readonly nth: number;
  /** When somebody asked for it, and when its end was known. */
  readonly from: number;
  readonly to: number;
  /** How it ended; null when its end never came. */
  readonly end: CycleEnd | null;
  readonly stages: readonly StageReport[];
}

interface Running {
  readonly service: string;
  readonly workflowId: string;
}

/** Calm, a cycle takes seconds; one that takes longer than this is lost. */
const LOST_MS = 180_000;
const POLL_MS = 200;
/** A call that hangs on a server that is gone is asked again. */
const PATIENCE_MS = 3_000;

export class Cycles {
  readonly ended: RunCycle[] = [];
  /** Requests that were turned away, and why. */
  readonly refused: string[] = [];
  /** What made it stop by itself. */
  failure: unknown = null;
  readonly #client: Client;
  readonly #control: ControlStore;
  readonly #services: readonly string[];
  readonly #running = new Map<string, Running>();
  #asked = 0;
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(client: Client, control: ControlStore, services: readonly string[]) {
    this.#client = client;
    this.#control = control;
    this.#services = services;
  }

  start(): void {
    this.#done = Promise.all(this.#services.map((service) => this.#goOn(service))).catch((error: unknown) => {
      this.failure = error;
    });
  }

  /** Those that run come to their end first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
    if (this.failure !== null) throw this.failure;
  }

  /** The stages of the cycles that run now, as far as anybody answers, and of those that have just ended. */
  async stages(): Promise<readonly StageReport[]> {
    const looks = [...this.#running.values()].map(({ workflowId }) => this.#stagesOf(workflowId).catch(() => []));
    return [
      ...(await Promise.all(looks)).flat(),
      ...this.ended.slice(-this.#services.length).flatMap(({ stages }) => stages),
    ];
  }

  async #goOn(service: string): Promise<void> {
    for (let nth = 1; !this.#stopped; nth++) {
      const from = Date.now();
      const admission = await this.#ask(service);
      if (!admission.admitted) {
        this.refused.push(admission.because);
        await pause(POLL_MS);
        continue;
      }
      const { cycle, workflowId } = admission;
      this.#running.set(service, { service, workflowId });
      const end = await this.#endOf(workflowId);
      const to = Date.now();
      this.#running.delete(service);
      const stages = await this.#answered(() => this.#stagesOf(workflowId), LOST_MS);
      this.ended.push({ service, cycle, nth, from, to, end, stages: stages ?? [] });
      await this.#beginAnew(service);
    }
  }

  /** As a schedule does: the workflow is there once the server says so, and is found again by whoever repeats the request. */
  async #ask(service: string): Promise<Admission> {
    const options = {
      workflowId: triggerId(service, `drill-${++this.#asked}`),
      taskQueue: queues.control,
      args: [{ service, reason: 'a trial' }] as [object],
      workflowIdConflictPolicy: 'USE_EXISTING' as const,
      workflowIdReusePolicy: 'REJECT_DUPLICATE' as const,
    };
    const started = await this.#answered(async () => {
      await this.#client.workflow.start('trigger', options).catch((error: Error) => {
        if (error.name !== 'WorkflowExecutionAlreadyStartedError') throw error;
      });
      return true;
    }, LOST_MS);
    const result = () => this.#resultOf<Admission>(options.workflowId);
    const admission = started === null ? null : await this.#answered(result, LOST_MS);
    return admission ?? { admitted: false, because: 'no answer came' };
  }

  #endOf(workflowId: string): Promise<CycleEnd | null> {
    return this.#answered(() => this.#resultOf<CycleEnd>(workflowId), LOST_MS);
  }

  #resultOf<T>(workflowId: string): Promise<T> {
    return this.#client.workflow.getHandle(workflowId).result() as Promise<T>;
  }

  async #stagesOf(workflowId: string): Promise<readonly StageReport[]> {
    const handle = this.#client.workflow.getHandle(workflowId);
    return (await this.#client.withDeadline(Date.now() + PATIENCE_MS, () => handle.query(cycleStatusQuery))).stages;
  }

  /** Asks until an answer comes: whoever is asked may be dead just now. */
  async #answered<T>(ask: () => Promise<T>, withinMs: number): Promise<T | null> {
    for (const until = Date.now() + withinMs; Date.now() < until; ) {
      try {
        return await this.#client.withDeadline(until, ask);
      } catch (error) {
        if (error instanceof WorkflowFailedError) return null;
        if (!isGrpcServiceError(error) && !(error instanceof ServiceError)) throw error;
        await pause(POLL_MS);
      }
    }
    return null;
  }

  /** A kill makes gold the champion again, so that the next cycle has as much to do as this one had. */
  async #beginAnew(service: string): Promise<void> {
    const order = { service, actor: DRILL, reason: 'the next cycle begins anew' };
    const n = this.ended.length;
    await this.#again(() => this.#control.kill({ ...order, key: `${service}/kill/${n}` }));
    await this.#again(() => this.#control.arm({ ...order, key: `${service}/arm/${n}` }));
  }

  /** The store may be busy. */
  async #again<T>(effect: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await effect();
      } catch (error) {
        if (!(error instanceof PawlError) || !failures[error.type].retryable) throw error;
        await pause(POLL_MS);
      }
    }
  }
}
