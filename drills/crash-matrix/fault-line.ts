/**
 * What stands between the product and its adapters in a trial. Every call comes past here under the name of its point; the
 * trial of its service decides whether it goes wrong.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { PawlError } from '../../contracts/failures.ts';
import type { Fault } from './faults.ts';

/** Who calls: an activity of a workflow of some service. */
export interface Caller {
  readonly service: string;
  readonly workflowId: string;
  readonly activity: string;
}

/** `pawl:docs:canary:…`: the kind of a workflow that a cycle has started, or a guardian for a fix. */
const BESIDE_A_CYCLE = /^pawl:[^:]+:(ab|canary|watch|fix):/;

/** The name of a point, and that of the same one within such a workflow. */
export const hereToo = (point: string): readonly string[] => {
  const kind = BESIDE_A_CYCLE.exec(caller().workflowId)?.[1];
  return kind === undefined ? [point] : [point, `${point} of ${kind}`];
};

export type Effect<T> = () => Promise<T>;

/** `pawl:docs`, `pawl:docs:cycle:…`, `pawl:docs:trigger:…` */
const SERVICE_OF = /^pawl:([^:]+)/;

export const caller = (): Caller => {
  const { workflowExecution, activityType } = Context.current().info;
  const workflowId = workflowExecution?.workflowId ?? '';
  return { service: SERVICE_OF.exec(workflowId)?.[1] ?? '', workflowId, activity: activityType };
};

/** One trial's share of it: counts how often its point was passed, and lets it go wrong when it is due. */
export class FaultLine {
  readonly #point: string;
  readonly #fault: Fault;
  /** What comes from outside at that moment; null for faults of the adapter itself. */
  readonly #message: (() => Promise<void>) | null;
  #passed = 0;
  #struck = 0;

  constructor(point: string, fault: Fault, message: (() => Promise<void>) | null) {
    this.#point = point;
    this.#fault = fault;
    this.#message = message;
  }

  /** How often the fault happened; a trial in which it never did has tried nothing. */
  get struck(): number {
    return this.#struck;
  }

  async pass<T>(point: string, effect: Effect<T>): Promise<T> {
    if (point !== this.#point) return effect();
    const nth = ++this.#passed;
    const { nth: from, times } = this.#fault;
    if (nth < from || nth >= from + times) return effect();
    this.#struck++;
    return this.#strike(effect);
  }

  async #strike<T>(effect: Effect<T>): Promise<T> {
    const { kind, when } = this.#fault;
    if (kind === 'refused') throw new PawlError('StoreBusy', `${this.#point} was refused by the drill`);
    if (kind === 'timed out') throw noAnswer(this.#point);
    if (kind === 'dead before') return never();
    if (this.#message !== null && when === 'before') {
      await this.#message();
      return effect();
    }
    const done = await effect().catch((error: unknown) => this.#hasMissed(error));
    if (kind === 'applied, then timed out') throw noAnswer(this.#point);
    if (kind === 'dead after') return never();
    await this.#message?.();
    return done;
  }

  /** It failed by itself, as on a machine that is too busy: there is no 'afterwards' yet, and the next call is struck instead. */
  #hasMissed(error: unknown): never {
    this.#passed--;
    this.#struck--;
    throw error;
  }
}

const noAnswer = (point: string): PawlError =>
  new PawlError('Unavailable', `${point} gave the drill no answer in time`);

/** As a worker that is gone: nothing comes until Temporal has given the task to another; what comes then is not heard. */
const never = async (): Promise<never> => {
  const { info, cancelled } = Context.current();
  await Promise.race([cancelled, pause((info.heartbeatTimeoutMs ?? info.startToCloseTimeoutMs) + 500)]);
  throw new PawlError('Unavailable', 'this worker was dead');
};

/** The same port or the same activities, with every call passing its points. */
export const onTheLine = <T extends object>(
  port: T,
  namesOf: (method: string, args: readonly unknown[]) => string | readonly string[],
  pass: <A>(point: string, effect: Effect<A>) => Promise<A>,
): T =>
  Object.fromEntries(
    Object.entries(port).map(([method, call]) => [
      method,
      typeof call === 'function' && method !== 'close'
        ? (...args: unknown[]) => {
            const effect = async (): Promise<unknown> => call.apply(port, args);
            // A call that is several effects at once passes all their points.
            return [namesOf(method, args)].flat().reduceRight((inner, point) => () => pass(point, inner), effect)();
          }
        : call,
    ]),
  ) as T;
