/**
 * The guardian's state and handlers.
 *
 * 1. The store is the truth about latch, epoch, promotion and traffic; the guardian adopts its answers.
 * 2. A kill waits for nothing: it goes past the mutex, and whatever awaits inside the mutex looks at the latch again
 *    before it starts anything.
 * 3. At most one cycle holds the traffic lane. A new grant raises the promotion number in the store, which fences off
 *    whoever held it before, so a forged or late report can disturb but never let two cycles move traffic.
 * 4. A cycle is remembered before it is started, and forgotten only when it has reported or Temporal says it has ended.
 */
import {
  ApplicationFailure,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { GuardianInput, GuardianMemory } from '../../contracts/guardian.ts';
import { dayOf, guardianId } from '../../contracts/ids.ts';
import { fieldOf, isCycleRequest, restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import type { TokenUse } from '../../contracts/token.ts';
import type { Actor, Arm, ServiceState, StateAnswer } from '../../contracts/traffic.ts';
import { objection } from '../../domain/admission.ts';
import { reasonOf } from '../failure.ts';
import { accepted, answering, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { ask, configuration, store } from '../options.ts';
import { tell } from '../tell.ts';
import { detailsOf, freshMemory, onDay, statusOf, withAdmitted, withEnd, withoutAdmitted } from './memory.ts';
import { startCycle } from './start-cycle.ts';

const SELF: Actor = { kind: 'guardian', name: 'guardian' };
/** A cycle that was terminated is noticed within this time. */
const LOOK_AFTER_CYCLES_MS = 30_000;
const LOOK_AFTER_NOTHING_MS = 600_000;
/** Small enough for one short activity. */
const NOTES_AT_ONCE = 100;

/** Ends after which the store may hold something new. */
const TRAFFIC_MOVED: ReadonlySet<messages.Outcome> = new Set([
  'promoted',
  'rolled back',
  'failed',
  'killed',
  'aborted',
]);

export class Guardian {
  /** Set once this run ends; requests for cycles are then left to the next run. */
  closing = false;
  readonly #service: string;
  #memory: GuardianMemory;
  readonly #mutex = new Mutex();
  /** The waiting cycle that was told that the lane is free. */
  #hinted: string | null = null;
  /** The store is to be read again, at once. */
  #stale = false;
  /** The time of the next look has changed, so the timer is to be set anew. */
  #woken = false;
  readonly #lookAfterMs: number;
  #lookAt: number;
  #refusal: string | null = null;
  #killing: Promise<messages.Answer> | null = null;

  constructor({ service, memory, lookAfterMs = LOOK_AFTER_CYCLES_MS }: GuardianInput) {
    this.#service = service;
    this.#lookAfterMs = lookAfterMs;
    this.#lookAt = Date.now() + lookAfterMs;
    this.#memory = memory ?? freshMemory();
    setHandler(messages.guardianStatusQuery, () => statusOf(service, this.#memory));
    setHandler(messages.admitUpdate, (request) => this.#mutex.run(() => this.#admit(request)), {
      validator: (request) => {
        if (!isCycleRequest(request))
          throw ApplicationFailure.nonRetryable('expected { key, trigger, requestedBy, reason }', 'Usage');
        if (this.closing)
          throw ApplicationFailure.retryable(
            'the guardian is busy, or starting its next run; ask again',
            'Unavailable',
          );
      },
    });
    setHandler(messages.laneUpdate, (request) => this.#mutex.run(() => this.#lane(request.cycle)));
    setHandler(messages.reportSignal, (report) => this.#reported(report));
    const refusedSignal = (because: string) => {
      this.#refusal = because;
      this.#show();
    };
    const turn = (handle: (message: unknown) => Promise<messages.Answer>) => inTurn(this.#mutex, handle);
    onMessage(messages.killSignal, messages.killUpdate, (message) => this.#kill(message), refusedSignal);
    onMessage(messages.pauseSignal, messages.pauseUpdate, async (message) => this.#pause(message), refusedSignal);
    onMessage(
      messages.resumeSignal,
      messages.resumeUpdate,
      turn((message) => this.#resume(message)),
      refusedSignal,
    );
    onMessage(
      messages.rearmSignal,
      messages.rearmUpdate,
      turn((message) => this.#rearm(message)),
      refusedSignal,
    );
    setHandler(messages.goldUpdate, answering(turn((message) => this.#gold(message))));
    setDefaultSignalHandler((name) => refusedSignal(`${name}: the guardian knows no such message`));
  }

  memory(): GuardianMemory {
    return this.#memory;
  }

  /** Takes over what the store holds; after a break-glass kill this is how the guardian learns of it. */
  async adopt(): Promise<ServiceState | null> {
    const before = this.#memory.state;
    const state = await store.readState({ service: this.#service });
    this.#take(state);
    this.#stale = false;
    if (state?.latch === 'killed' && before?.latch !== 'killed') await this.#stopCycles(state.because);
    return state;
  }

  hasWork(): boolean {
    return this.#stale || this.#woken || this.#memory.outbox.length > 0 || this.#nextInLane() !== null;
  }

  untilLookMs(): number {
    return Math.max(1_000, this.#lookAt - Date.now());
  }

  async tend(): Promise<void> {
    await this.#mutex.run(async () => {
      this.#woken = false;
      await this.#writeOutbox();
      if (this.#stale) await this.adopt();
      const next = this.#nextInLane();
      const waiting = this.#memory.running.find(({ cycle }) => cycle === next);
      this.#hinted = next;
      if (waiting) await tell(waiting.workflowId, messages.laneFreeSignal);
      if (Date.now() >= this.#lookAt) await this.#lookAfter();
    });
  }

  /** Finds cycles that ended without a word (terminated, or a report that got lost) and puts their traffic back. */
  async #lookAfter(): Promise<void> {
    await this.adopt();
    this.#hinted = null;
    const { running } = this.#memory;
    this.#lookAt = Date.now() + (running.length > 0 ? this.#lookAfterMs : LOOK_AFTER_NOTHING_MS);
    if (running.length === 0) return;
    const ended = await ask.findEnded({ workflowIds: running.map(({ workflowId }) => workflowId) });
    for (const { workflowId, status, end } of ended) {
      const gone = running.find((one) => one.workflowId === workflowId);
      if (!gone) continue;
      const heldLane = this.#memory.lane.holder === gone.cycle;
      if (end) this.#ended(gone.cycle, end);
      else await this.#vanished(gone.cycle, status, heldLane);
    }
  }

  async #admit(request: messages.CycleRequest): Promise<messages.Admission> {
    const known = this.#memory.answered.find(({ key }) => key === request.key);
    if (known) return { admitted: true, cycle: known.cycle, workflowId: known.workflowId };
    await this.adopt();
    let plan: CyclePlan;
    try {
      plan = await configuration.readPlan({ service: this.#service });
    } catch (error) {
      return { admitted: false, because: reasonOf(error) };
    }
    const now = Date.now();
    this.#memory = { ...onDay(this.#memory, dayOf(now)), cooldownMs: plan.limits.cooldownMs };
    const { state } = this.#memory;
    const because = objection({
      state,
      plan,
      now,
      paused: this.#memory.paused !== null,
      running: this.#memory.running.length,
      admittedToday: this.#memory.today.admitted,
      cooldownUntil: this.#memory.cooldownUntil,
      byHand: request.trigger === 'hand',
    });
    if (because !== null || !state?.champion)
      return { admitted: false, because: because ?? 'the service has no champion' };

    const started = await startCycle(
      { service: this.#service, request, plan, champion: state.champion, epoch: state.epoch },
      this.#memory.today,
      (today, cycle) => {
        this.#memory = withAdmitted(this.#memory, request.key, cycle, today);
      },
      (cycle) => {
        this.#memory = withoutAdmitted(this.#memory, cycle);
      },
    );
    if (this.#memory.state?.latch === 'killed') await this.#stopCycles(this.#memory.state.because);
    this.#lookAt = Math.min(this.#lookAt, Date.now() + this.#lookAfterMs);
    this.#woken = true;
    await store.note({
      entries: [
        {
          key: `${started.workflowId}/admitted`,
          service: this.#service,
          cycle: started.cycle,
          kind: 'cycle admitted',
          actor: request.requestedBy,
          reason: request.reason,
          body: {
            trigger: request.trigger,
            workflowId: started.workflowId,
            champion: state.champion,
            config: plan.config,
            commit: plan.commit,
          },
        },
      ],
    });
    this.#show();
    return { admitted: true, cycle: started.cycle, workflowId: started.workflowId };
  }

  async #lane(cycle: string): Promise<messages.LaneAnswer> {
    const { running, lane, paused } = this.#memory;
    if (!running.some((one) => one.cycle === cycle)) {
      return { granted: false, wait: false, because: 'the guardian does not know this cycle as running' };
    }
    const waiting = lane.waiting.includes(cycle) ? lane.waiting : [...lane.waiting, cycle];
    const ahead =
      lane.holder !== null && lane.holder !== cycle ? lane.holder : waiting[0] === cycle ? null : (waiting[0] ?? null);
    if (lane.holder !== cycle && (paused || ahead !== null)) {
      this.#memory = { ...this.#memory, lane: { ...lane, waiting } };
      return { granted: false, wait: true, behind: paused ? `a pause (${paused.reason})` : (ahead ?? '') };
    }
    const answer = await store.grantLane({
      key: this.#key('grant'),
      service: this.#service,
      cycle,
      actor: SELF,
      reason: `${cycle} asked for the traffic lane`,
    });
    this.#take(answer.state);
    if (answer.outcome === 'refused') return { granted: false, wait: false, because: answer.because };
    const { epoch, promotion, champion, arms } = answer.state;
    if (!champion) return { granted: false, wait: false, because: 'the service has no champion' };
    this.#memory = { ...this.#memory, lane: { holder: cycle, waiting: waiting.filter((one) => one !== cycle) } };
    this.#show();
    return { granted: true, token: { epoch, promotion }, champion, arms };
  }

  #reported(report: unknown): void {
    const cycle = fieldOf(report, 'cycle');
    if (cycle === null || !this.#memory.running.some((one) => one.cycle === cycle)) return;
    const end = (report as messages.CycleReport).end;
    if (typeof end?.outcome === 'string' && typeof end.because === 'string') this.#ended(cycle, end);
  }

  /** Kills that come while one is under way join it, so that a flood of them is one effect. */
  #kill(message: unknown): Promise<messages.Answer> {
    this.#killing ??= this.#killNow(message).finally(() => {
      this.#killing = null;
    });
    return this.#killing;
  }

  async #killNow(message: unknown): Promise<messages.Answer> {
    const { by, reason } = restrictionOf(message);
    // Before anything is awaited, so that an admission under way sees it.
    if (this.#memory.state)
      this.#memory = { ...this.#memory, state: { ...this.#memory.state, latch: 'killed', because: reason } };
    const order = { key: this.#key('kill'), service: this.#service, actor: { kind: 'person', name: by }, reason };
    const answer = await store.kill(order);
    this.#take(answer.state);
    await this.#stopCycles(reason);
    return answer.outcome === 'done'
      ? accepted(
          `killed: epoch ${answer.state.epoch}, ${answer.state.gold ? 'gold serves' : 'no gold is set, so the champion still serves'}`,
        )
      : refused(answer.because);
  }

  #pause(message: unknown): messages.Answer {
    const paused = restrictionOf(message);
    this.#memory = { ...this.#memory, paused };
    this.#note('paused', { kind: 'person', name: paused.by }, paused.reason);
    return accepted('paused: no cycle is admitted and no traffic lane is given until a signed resume');
  }

  async #resume(message: unknown): Promise<messages.Answer> {
    const { claims, because } = await this.#verify(message, 'resume', null);
    if (!claims) return refused(because);
    this.#memory = { ...this.#memory, paused: null };
    this.#note('resumed', { kind: 'person', name: claims.person }, claims.reason);
    return accepted('resumed');
  }

  async #rearm(message: unknown): Promise<messages.Answer> {
    const { claims, because } = await this.#verify(message, 'rearm', null);
    if (!claims) return refused(because);
    const order = {
      key: this.#key('arm'),
      service: this.#service,
      actor: { kind: 'person', name: claims.person },
      reason: claims.reason,
    };
    return this.#answerOf(await store.arm(order), 'armed: cycles are admitted again');
  }

  async #gold(message: unknown): Promise<messages.Answer> {
    const variant = fieldOf(message, 'variant');
    if (variant === null) return refused('expected { variant, token }');
    const { claims, because } = await this.#verify(message, 'gold', variant);
    if (!claims) return refused(because);
    const order = {
      key: this.#key('gold'),
      service: this.#service,
      variant,
      actor: { kind: 'person', name: claims.person },
      reason: claims.reason,
    };
    return this.#answerOf(await store.setGold(order), `gold is now ${variant.slice(0, 12)}`);
  }

  async #verify(message: unknown, action: TokenUse['action'], variant: string | null) {
    const token = tokenOf(message);
    if (token === null)
      return { claims: null, because: `${action} needs a signed token: \`pawl ${action} --print\` makes one` };
    const use = {
      token,
      action,
      workflow: guardianId(this.#service),
      step: null,
      variant,
      evidence: null,
      key: this.#key(action),
    };
    const answer = await store.verifyToken(use);
    return answer.valid ? { claims: answer.claims, because: '' } : { claims: null, because: answer.because };
  }

  #answerOf(answer: StateAnswer, what: string): messages.Answer {
    this.#take(answer.state);
    return answer.outcome === 'done' ? accepted(what) : refused(answer.because);
  }

  #take(state: ServiceState | null): void {
    this.#memory = { ...this.#memory, state };
    this.#show();
  }

  #ended(cycle: string, end: messages.CycleEnd): void {
    this.#memory = withEnd(this.#memory, cycle, end, Date.now());
    this.#stale ||= TRAFFIC_MOVED.has(end.outcome);
    this.#show();
  }

  async #vanished(cycle: string, status: string, heldLane: boolean): Promise<void> {
    const because = `the workflow ended without a report (${status})`;
    const { state } = this.#memory;
    if (heldLane && state?.champion) {
      const order = { service: this.#service, cycle, actor: SELF, reason: because };
      const granted = await store.grantLane({ ...order, key: this.#key('grant') });
      const arms: Arm[] = [{ variant: state.champion, share: 1 }];
      if (granted.outcome === 'done') {
        const { epoch, promotion } = granted.state;
        await store.shiftTraffic({ ...order, key: this.#key('restore'), token: { epoch, promotion }, arms });
      }
    }
    const end = { outcome: 'failed', because, challenger: null, champion: state?.champion ?? null } as const;
    await store.note({
      entries: [
        {
          key: `${guardianId(this.#service)}:cycle:${cycle}/end`,
          service: this.#service,
          cycle,
          kind: 'cycle ended',
          actor: SELF,
          reason: because,
          body: end,
        },
      ],
    });
    this.#ended(cycle, end);
  }

  async #stopCycles(reason: string): Promise<void> {
    const { running } = this.#memory;
    await Promise.all(
      running.map(({ workflowId }) => tell(workflowId, messages.killSignal, { by: 'guardian', reason })),
    );
  }

  #nextInLane(): string | null {
    const { lane, paused } = this.#memory;
    const next = lane.waiting[0] ?? null;
    return paused === null && lane.holder === null && next !== this.#hinted ? next : null;
  }

  /** A key of its own for each effect, over all runs of this guardian. */
  #key(what: string): string {
    const n = this.#memory.effects + 1;
    this.#memory = { ...this.#memory, effects: n };
    return `${guardianId(this.#service)}/${workflowInfo().firstExecutionRunId}/${n}/${what}`;
  }

  /** Written by and by: what is in the outbox outlives this run. */
  #note(kind: string, actor: Actor, reason: string): void {
    const entry = { key: this.#key(kind), service: this.#service, cycle: null, kind, actor, reason, body: {} };
    this.#memory = { ...this.#memory, outbox: [...this.#memory.outbox, entry] };
    this.#show();
  }

  async #writeOutbox(): Promise<void> {
    const entries = this.#memory.outbox.slice(0, NOTES_AT_ONCE);
    if (entries.length === 0) return;
    await store.note({ entries });
    this.#memory = { ...this.#memory, outbox: this.#memory.outbox.slice(entries.length) };
  }

  #show(): void {
    const status = statusOf(this.#service, this.#memory);
    setCurrentDetails(detailsOf(status, this.#refusal));
    log.debug('guardian', { latch: status.latch, running: status.running.length });
  }
}
