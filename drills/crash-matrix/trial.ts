/**
 * One trial: a real cycle of a service of its own, from the request to the end that its guardian has heard of, with the fault
 * that its seed has planned. What happens beside it hangs on what the cycle does, never on the clock, so that the same seed
 * comes to the same end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import {
  abWorkflowId,
  canaryWorkflowId,
  cycleId,
  cycleWorkflowId,
  dayOf,
  fixId,
  fixWorkflowId,
  guardianId,
  ofCycleWorkflow,
  triggerId,
  watchWorkflowId,
} from '../../contracts/ids.ts';
import type { LedgerRow } from '../../contracts/ledger.ts';
import * as messages from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { eventually } from '../eventually.ts';
import { enrol } from '../service-home.ts';
import { caller, FaultLine } from './fault-line.ts';
import { inTraffic, type TrialPlan } from './faults.ts';
import type { Flavour } from './flavours.ts';
import { Person, POLL_MS, tell } from './person.ts';
import type { Scene } from './points.ts';
import { endsIn, storyOf } from './story.ts';
import type { MatrixWorld, Passing } from './world.ts';

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

/** A cycle that was terminated is noticed sooner than in a service's everyday. */
const LOOK_AFTER_MS = 1_000;
/** Undisturbed, a trial takes seconds; a worker that died costs as long as its stage may be silent. */
const STUCK_MS = 120_000;

/** What its cycles are to do; where nothing is said, whether somebody is asked. */
const FLAVOUR_OF: Readonly<Partial<Record<Scene, Flavour>>> = {
  'broken promise': 'promises too much',
  canary: 'canary',
  'canary approval': 'canary that asks',
  'canary rollback': 'canary',
  ab: 'ab',
  'ab harm': 'ab',
  watch: 'watch',
  breach: 'breach',
};

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
  readonly #person: Person;
  #beside: Promise<Asked> | null = null;
  #killed: Promise<void> | null = null;
  #over = false;

  constructor(world: MatrixWorld, plan: TrialPlan, service: string) {
    this.#world = world;
    this.#plan = plan;
    this.#service = service;
    const idOf = (n: number): string => cycleWorkflowId(service, cycleId(dayOf(Date.now()), n));
    this.#cycles = [idOf(1), idOf(2)];
    this.#person = new Person(world, plan, service, this.#cycles);
    this.line = new FaultLine(plan.point, plan.fault, this.#person.message());
  }

  async run(): Promise<void> {
    const { scene } = this.#plan;
    const { control, artifacts, running } = this.#world;
    this.gold = await enrol(control, artifacts, this.#service);
    await this.#readWell();
    running.set(this.#service, this.#passing());
    await this.#startGuardian();
    if (scene === 'pause') await this.#person.pauseAndResume();
    const person = this.#person.attend(() => this.#over);
    person.catch(() => undefined); // It is heard at the end.
    try {
      await (await this.#ask(1)).ended;
      await (await this.#beside)?.ended;
      await this.#killed;
      await this.#nothingRuns();
      if (inTraffic(scene)) {
        for (const workflowId of this.#trials)
          await eventually(
            () => this.#isOpen(workflowId),
            (open) => !open,
            POLL_MS,
          );
        await this.#nothingRuns();
      }
      if (scene === 'breach') {
        await this.#person.askFix();
        await this.#nothingRuns();
      }
    } finally {
      this.#over = true;
      await person;
    }
    if (scene === 'kill') await this.#person.loosen(messages.rearmUpdate, 'rearm');
    if (scene === 'gold') await this.#person.vouch(this.gold);
  }

  /** Cycles and fixes that the guardian knows of have told it how they ended. */
  async #nothingRuns(): Promise<void> {
    const status = () => this.#guardian.query(messages.guardianStatusQuery).catch(() => null);
    await eventually(status, (said) => said?.running.length === 0, POLL_MS);
  }

  /** What the first cycle may have started: its own workflow, and those that it does not outlive, or that outlive it. */
  get #trials(): readonly string[] {
    const [first] = this.#cycles;
    const of = ofCycleWorkflow(first);
    if (!of || !inTraffic(this.#plan.scene)) return [];
    return [first, ...[abWorkflowId, canaryWorkflowId, watchWorkflowId].map((idOf) => idOf(of.service, of.cycle))];
  }

  async #isOpen(workflowId: string): Promise<boolean> {
    try {
      return (await this.#world.client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
    } catch (error) {
      return !(error instanceof WorkflowNotFoundError);
    }
  }

  /** For whoever looks into a trial that came to no end. */
  async waitsFor(): Promise<string> {
    const workflows = [guardianId(this.#service), ...this.#cycles, ...this.#trials];
    const waiting = await Promise.all(workflows.map((workflowId) => pendingOf(this.#world.client, workflowId)));
    return [`no end after ${STUCK_MS / 1_000} s`, ...waiting.flat()].join('; ');
  }

  async close(): Promise<void> {
    this.#over = true;
    // Whoever still waits for one of them gets an answer, and asks no connection that is closed by then.
    const triggers = [1, 2].map((n) => triggerId(this.#service, String(n)));
    const fixes = [1, 2].map((n) => fixWorkflowId(this.#service, fixId(dayOf(Date.now()), n)));
    for (const workflowId of [guardianId(this.#service), ...triggers, ...this.#cycles, ...this.#trials, ...fixes]) {
      await tell(() => this.#world.client.workflow.getHandle(workflowId).terminate('the trial is over'));
    }
    this.#world.running.delete(this.#service);
  }

  /** What the world asks of a running trial. The fault is the first cycle's and the guardian's. */
  #passing(): Passing {
    const { scene, person, challenger, beside } = this.#plan;
    const flavour = FLAVOUR_OF[scene] ?? (person === null ? 'asks nobody' : 'asks');
    return {
      config: this.#world.configs[flavour],
      inTraffic: inTraffic(scene),
      placeIn: (variant, champion) => {
        if (variant === this.gold) return scene === 'breach' ? 1 : 3;
        return challenger === 'better' || (challenger === 'turns' && champion === this.gold) ? 1 : null;
      },
      pass: async (point, effect) => {
        if (caller().workflowId === this.#cycles[1]) return effect();
        if (scene === 'kill' && point === 'activity: watch') {
          this.#killed ??= this.#person.kill();
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

const isEnd = ({ kind }: LedgerRow): boolean => kind === 'cycle ended';
