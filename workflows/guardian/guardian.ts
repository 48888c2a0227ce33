/** The guardian's messages, wired to those who handle them; what awaits takes its turn, except for a kill. */
import { ApplicationFailure, isCancellation, setDefaultSignalHandler, setHandler, sleep } from '@temporalio/workflow';
import type { GuardianInput, GuardianMemory } from '../../contracts/guardian.ts';
import { isCycleRequest } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { FixAnswer, FixRequest } from '../../contracts/remediation.ts';
import { fixUpdate, isFixRequest } from '../../contracts/remediation-messages.ts';
import { reasonOf } from '../failure.ts';
import { answering, inTurn, onMessage } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { Admissions } from './admission.ts';
import { Fixes } from './fixes.ts';
import { Lane } from './lane.ts';
import { freshMemory, statusOf } from './memory.ts';
import { Orders } from './orders.ts';
import { Self } from './self.ts';

/** A cycle that was terminated is noticed within this time. */
const LOOK_AFTER_CYCLES_MS = 30_000;
const LOOK_AFTER_NOTHING_MS = 600_000;
const AFTER_TROUBLE_MS = 10_000;

export class Guardian {
  /** Set once this run ends; requests for cycles are then left to the next run. */
  closing = false;
  readonly #self: Self;
  readonly #lane: Lane;
  readonly #fixes: Fixes;
  readonly #admissions: Admissions;
  readonly #mutex = new Mutex();
  readonly #lookAfterMs: number;
  #lookAt: number;
  /** The time of the next look has changed, so the timer is to be set anew. */
  #woken = false;

  constructor({ service, memory, lookAfterMs = LOOK_AFTER_CYCLES_MS }: GuardianInput) {
    this.#self = new Self(service, memory ?? freshMemory());
    this.#lane = new Lane(this.#self);
    this.#fixes = new Fixes(this.#self, this.#lane);
    this.#admissions = new Admissions(this.#self, this.#lane, this.#fixes);
    this.#lookAfterMs = lookAfterMs;
    this.#lookAt = Date.now() + lookAfterMs;
    this.#listen(new Orders(this.#self));
  }

  memory(): GuardianMemory {
    return this.#self.memory;
  }

  hasWork(): boolean {
    return this.#self.stale || this.#woken || this.#self.memory.outbox.length > 0 || this.#lane.next !== null;
  }

  untilLookMs(): number {
    return Math.max(1_000, this.#lookAt - Date.now());
  }

  /** Whatever there is to do. What fails for good is shown and tried again later: a guardian does not end. */
  async tend(): Promise<void> {
    try {
      await this.#mutex.run(() => this.#tend());
    } catch (error) {
      if (isCancellation(error)) throw error;
      this.#self.showRefusal(reasonOf(error));
      await sleep(AFTER_TROUBLE_MS, { summary: 'after trouble' });
    }
  }

  async #tend(): Promise<void> {
    this.#woken = false;
    const due = Date.now() >= this.#lookAt;
    await this.#self.writeOutbox();
    if (due || this.#self.stale) await this.#self.adopt();
    if (due) await this.#admissions.lookAfter();
    if (due) this.#lookAt = Date.now() + this.#everyMs();
    await this.#lane.tellNext();
  }

  async #admit(request: messages.CycleRequest): Promise<messages.Admission> {
    const admission = await this.#admissions.admit(request);
    this.#lookSoon();
    return admission;
  }

  async #fix(request: FixRequest): Promise<FixAnswer> {
    const answer = await this.#fixes.admit(request);
    this.#lookSoon();
    return answer;
  }

  #lookSoon(): void {
    this.#lookAt = Math.min(this.#lookAt, Date.now() + this.#everyMs());
    this.#woken = true;
  }

  #everyMs(): number {
    return this.#self.memory.running.length > 0 ? this.#lookAfterMs : LOOK_AFTER_NOTHING_MS;
  }

  #listen(orders: Orders): void {
    setHandler(messages.guardianStatusQuery, () => statusOf(this.#self.service, this.#self.memory));
    setHandler(messages.admitUpdate, (request) => this.#mutex.run(() => this.#admit(request)), {
      validator: (request) => this.#validate(isCycleRequest(request), 'expected { key, trigger, requestedBy, reason }'),
    });
    setHandler(fixUpdate, (request) => this.#mutex.run(() => this.#fix(request)), {
      validator: (request) => this.#validate(isFixRequest(request), 'expected { key, requestedBy, reason, findings }'),
    });
    setHandler(messages.laneUpdate, (request) => this.#mutex.run(() => this.#lane.request(request)));
    setHandler(messages.reportSignal, (report) => this.#admissions.reported(report));

    const onRefusal = (because: string) => this.#self.showRefusal(because);
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) => inTurn(this.#mutex, handle);
    const { killSignal, killUpdate, pauseSignal, pauseUpdate, resumeSignal, resumeUpdate, rearmSignal, rearmUpdate } =
      messages;
    onMessage(killSignal, killUpdate, (message) => orders.kill(message), onRefusal);
    onMessage(pauseSignal, pauseUpdate, (message) => orders.pause(message), onRefusal);
    onMessage(
      resumeSignal,
      resumeUpdate,
      turn((message) => orders.resume(message)),
      onRefusal,
    );
    onMessage(
      rearmSignal,
      rearmUpdate,
      turn((message) => orders.rearm(message)),
      onRefusal,
    );
    const gold = answering(turn((message) => orders.gold(message)));
    setHandler(messages.goldUpdate, async (message) => gold(message));
    setDefaultSignalHandler((name) => onRefusal(`${name}: the guardian knows no such message`));
  }

  #validate(isRequest: boolean, expected: string): void {
    if (!isRequest) throw ApplicationFailure.nonRetryable(expected, 'Usage');
    if (this.closing || this.#mutex.crowded) {
      throw ApplicationFailure.retryable('the guardian is busy, or starting its next run; ask again', 'Unavailable');
    }
  }
}
