/**
 * One trial: a real cycle of a service of its own, from the request to the end that its guardian has heard of, with the fault
 * that its seed has planned. What happens beside it hangs on what the cycle does, never on the clock, so that the same seed
 * comes to the same end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  ServiceError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { cycleId, cycleWorkflowId, dayOf, guardianId, triggerId } from '../../contracts/ids.ts';
import type { LedgerRow } from '../../contracts/ledger.ts';
import * as messages from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { eventually } from '../eventually.ts';
import { DRILL, enrol } from '../service-home.ts';
import { caller, FaultLine } from './fault-line.ts';
import type { FaultKind, TrialPlan } from './faults.ts';
import { endsIn, storyOf } from './story.ts';
import type { Asking, MatrixWorld, Passing } from './world.ts';

export interface Tried {
  readonly plan: TrialPlan;
  readonly service: string;
  /** How each cycle ended, in the order of their admission, and which was not admitted. */
  readonly ends: readonly string[];
  /** What the ledger tells, without times, digests and numbers of attempts. */
  readonly story: readonly string[];
  /** How often the fault happened. */
  readonly struck: number;
  readonly tookMs: number;
  /** Why it came to no end; null when it did. */
  readonly stuck: string | null;
}

const POLL_MS = 300;
/** A cycle that was terminated is noticed sooner than in a service's everyday. */
const LOOK_AFTER_MS = 1_000;
/** Undisturbed, a trial takes seconds; a worker that died costs as long as its stage may be silent. */
const STUCK_MS = 120_000;

export const runTrial = async (world: MatrixWorld, plan: TrialPlan, service: string): Promise<Tried> => {
  const begun = performance.now();
  const trial = new Trial(world, plan, service);
  const giveUp = new AbortController();
  const late = pause(STUCK_MS, null, { signal: giveUp.signal })
    .then(() => trial.waitsFor())
    .catch(() => null);
  const stuck = await Promise.race([trial.run().then(() => null, String), late]);
  giveUp.abort();
  await trial.close();
  const ledger = await world.control.ledger({ service });
  return {
    ...{ plan, service, stuck },
    ends: [...endsIn(ledger), ...trial.refusals],
    story: storyOf(ledger, trial.gold),
    struck: trial.line.struck,
    tookMs: performance.now() - begun,
  };
};

class Trial {
  readonly line: FaultLine;
  readonly refusals: string[] = [];
  gold = '';
  readonly #world: MatrixWorld;
  readonly #plan: TrialPlan;
  readonly #service: string;
  readonly #cycles: readonly [first: string, second: string];
  #beside: Promise<Asked> | null = null;
  #killed: Promise<void> | null = null;
  #over = false;

  constructor(world: MatrixWorld, plan: TrialPlan, service: string) {
    this.#world = world;
    this.#plan = plan;
    this.#service = service;
    const idOf = (n: number): string => cycleWorkflowId(service, cycleId(dayOf(Date.now()), n));
    this.#cycles = [idOf(1), idOf(2)];
    this.line = new FaultLine(plan.point, plan.fault, this.#message());
  }

  async run(): Promise<void> {
    const { scene } = this.#plan;
    const { control, artifacts, running } = this.#world;
    this.gold = await enrol(control, artifacts, this.#service);
    await this.#readWell();
    running.set(this.#service, this.#passing());
    await this.#startGuardian();
    if (scene === 'pause') await this.#pauseAndResume();
    const person = this.#attend();
    person.catch(() => undefined); // It is heard at the end.
    try {
      await (await this.#ask(1)).ended;
      await (await this.#beside)?.ended;
      await this.#killed;
      const status = () => this.#guardian.query(messages.guardianStatusQuery).catch(() => null);
      await eventually(status, (said) => said?.running.length === 0, POLL_MS);
    } finally {
      this.#over = true;
      await person;
    }
    if (scene === 'kill') await this.#loosen(messages.rearmUpdate, 'rearm');
    if (scene === 'gold') await this.#vouch();
  }

  /** For whoever looks into a trial that came to no end. */
  async waitsFor(): Promise<string> {
    const workflows = [guardianId(this.#service), ...this.#cycles];
    const waiting = await Promise.all(workflows.map((workflowId) => pendingOf(this.#world.client, workflowId)));
    return [`no end after ${STUCK_MS / 1_000} s`, ...waiting.flat()].join('; ');
  }

  async close(): Promise<void> {
    this.#over = true;
    // Whoever still waits for one of them gets an answer, and asks no connection that is closed by then.
    const triggers = [1, 2].map((n) => triggerId(this.#service, String(n)));
    for (const workflowId of [guardianId(this.#service), ...triggers, ...this.#cycles]) {
      await tell(() => this.#world.client.workflow.getHandle(workflowId).terminate('the trial is over'));
    }
    this.#world.running.delete(this.#service);
  }

  /** What the world asks of a running trial. The fault is the first cycle's and the guardian's. */
  #passing(): Passing {
    const { scene, person, challenger, beside } = this.#plan;
    const asking: Asking = scene === 'broken promise' ? 'promises too much' : person === null ? 'asks nobody' : 'asks';
    return {
      config: this.#world.configs[asking],
      placeIn: (variant) => (variant === this.gold ? 3 : challenger === 'better' ? 1 : null),
      pass: async (point, effect) => {
        if (caller().workflowId === this.#cycles[1]) return effect();
        if (scene === 'kill' && point === 'activity: watch') {
          this.#killed ??= this.#kill();
          await this.#killed;
        }
        if (beside && point === 'activity: shiftTraffic' && caller().workflowId === this.#cycles[0]) {
          // The first one has the lane now, and this one will wait for it. Never on the guardian's own change: it answers
          // nobody until that is made.
          this.#beside ??= this.#ask(2);
          await this.#beside;
        }
        return this.line.pass(point, effect);
      },
    };
  }

  /** Asks for a cycle, as the Web UI does. */
  async #ask(n: number): Promise<Asked> {
    const { client, control } = this.#world;
    const admission: messages.Admission = await client.workflow.execute('trigger', {
      workflowId: triggerId(this.#service, String(n)),
      taskQueue: queues.control,
      args: [{ service: this.#service, trigger: this.#plan.trigger, reason: 'a trial' }],
    });
    if (!admission.admitted) {
      this.refusals.push(`${n} not admitted`);
      return { ended: Promise.resolve() };
    }
    const { cycle } = admission;
    const noted = async () => (await control.ledger({ service: this.#service, cycle })).some(isEnd);
    return { ended: eventually(noted, Boolean, POLL_MS).then(() => undefined) };
  }

  /** What a person does about the cycles: decides what they are asked, and resumes what was paused. */
  async #attend(): Promise<void> {
    const { person, fault, beside } = this.#plan;
    if (person === null && fault.kind !== 'pause') return;
    const attended = beside ? this.#cycles : this.#cycles.slice(0, 1);
    while (!this.#over) {
      await pause(POLL_MS);
      await Promise.all(attended.map((workflowId) => this.#attendTo(workflowId)));
    }
  }

  async #attendTo(workflowId: string): Promise<void> {
    const handle = this.#world.client.workflow.getHandle(workflowId);
    const status = await handle.query(messages.cycleStatusQuery).catch(() => null);
    if (status === null || status.end !== null) return;
    if (status.paused) {
      const token = this.#sign('resume', workflowId);
      await tell(() => handle.executeUpdate(messages.resumeUpdate, { args: [{ token }] }));
    }
    if (status.approval === null) return;
    const { step, variant, evidence } = status.approval;
    if (this.#plan.person === 'rejects') {
      await tell(() => handle.executeUpdate(messages.rejectUpdate, { args: [restriction] }));
    } else {
      const token = this.#sign('approve', workflowId, { step, variant, evidence });
      await tell(() => handle.executeUpdate(messages.approveUpdate, { args: [{ token }] }));
    }
  }

  /** What the fault line sends where the fault comes from outside. */
  #message(): (() => Promise<void>) | null {
    const first = this.#world.client.workflow.getHandle(this.#cycles[0]);
    const messagesOf: Partial<Record<FaultKind, () => Promise<unknown>>> = {
      kill: () => this.#kill(),
      'break-glass': () => this.#world.control.kill({ ...this.#order, key: `${this.#service}/break-glass` }),
      abort: () => first.executeUpdate(messages.abortUpdate, { args: [restriction] }),
      pause: () => first.executeUpdate(messages.pauseUpdate, { args: [restriction] }),
      terminate: () => first.terminate('by hand'),
    };
    const send = messagesOf[this.#plan.fault.kind];
    return send ? () => tell(send) : null;
  }

  #kill(): Promise<void> {
    return tell(() => this.#guardian.executeUpdate(messages.killUpdate, { args: [restriction] }));
  }

  async #pauseAndResume(): Promise<void> {
    await tell(() => this.#guardian.executeUpdate(messages.pauseUpdate, { args: [restriction] }));
    await this.#loosen(messages.resumeUpdate, 'resume');
  }

  #loosen(update: typeof messages.rearmUpdate, action: 'rearm' | 'resume'): Promise<void> {
    const token = this.#sign(action, guardianId(this.#service));
    return tell(() => this.#guardian.executeUpdate(update, { args: [{ token }] }));
  }

  /** What serves now becomes gold. */
  async #vouch(): Promise<void> {
    const variant = (await this.#world.control.state(this.#service))?.champion ?? this.gold;
    const token = this.#sign('gold', guardianId(this.#service), { variant });
    await tell(() => this.#guardian.executeUpdate(messages.goldUpdate, { args: [{ token, variant }] }));
  }

  #sign(
    action: TokenClaims['action'],
    workflow: string,
    bound: Partial<Pick<TokenClaims, 'step' | 'variant' | 'evidence'>> = {},
  ): string {
    return this.#world.sign({ step: null, variant: null, evidence: null, ...bound, action, workflow });
  }

  async #startGuardian(): Promise<void> {
    const { historyLimit } = this.#plan;
    await this.#world.client.workflow.start('guardian', {
      workflowId: guardianId(this.#service),
      taskQueue: queues.control,
      args: [
        { service: this.#service, lookAfterMs: LOOK_AFTER_MS, ...(historyLimit === null ? {} : { historyLimit }) },
      ],
    });
  }

  /** The champion read well when it became champion, so that what the visitors see now is a breach. */
  async #readWell(): Promise<void> {
    const at = new Date().toISOString();
    const ndcg = { value: 0.95, n: 100, low: 0.94, high: 0.96 };
    const vitals = { service: this.#service, variant: this.gold, from: at, to: at, readings: { ndcg } };
    await this.#world.control.setBaseline({ key: `${this.#service}/baseline`, variant: this.gold, vitals });
  }

  get #guardian() {
    return this.#world.client.workflow.getHandle(guardianId(this.#service));
  }

  get #order() {
    return { service: this.#service, actor: DRILL, reason: 'a trial' };
  }
}

interface Asked {
  /** Resolves when the ledger holds the cycle's end. */
  readonly ended: Promise<void>;
}

const pendingOf = async (client: Client, workflowId: string): Promise<string[]> => {
  const found = await client.workflow
    .getHandle(workflowId)
    .describe()
    .catch(() => null);
  const activities = (found?.raw.pendingActivities ?? []).map(
    ({ activityType, attempt, lastFailure }) =>
      `${workflowId} waits for ${activityType?.name}, attempt ${attempt}: ${lastFailure?.message ?? 'no failure yet'}`,
  );
  const task = found?.raw.pendingWorkflowTask;
  return task ? [...activities, `${workflowId} waits for a worker to take it up, attempt ${task.attempt}`] : activities;
};

const restriction = { by: 'ada', reason: 'a trial' };
const isEnd = ({ kind }: LedgerRow): boolean => kind === 'cycle ended';

/**
 * What is sent may come too late, or be refused; that is the receiver's matter. A busy machine may keep a workflow from
 * answering, and then it is asked again.
 */
const tell = async (send: () => Promise<unknown>): Promise<void> => {
  for (;;) {
    try {
      await send();
      return;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) return;
      if (!(error instanceof ServiceError) && !isGrpcServiceError(error)) throw error;
      await pause(POLL_MS);
    }
  }
};
