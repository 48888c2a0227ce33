/**
 * What people do about a trial: they decide what they are asked, resume what was paused, and send what the fault says, as
 * often as it says.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { abStatusQuery } from '../../contracts/ab-messages.ts';
import { canaryStatusQuery, promoteUpdate, undoUpdate } from '../../contracts/canary-messages.ts';
import { abWorkflowId, canaryWorkflowId, guardianId, ofCycleWorkflow } from '../../contracts/ids.ts';
import * as messages from '../../contracts/messages.ts';
import { fixUpdate } from '../../contracts/remediation-messages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { DRILL } from '../service-home.ts';
import { caller } from './fault-line.ts';
import { type FaultKind, inTraffic, type TrialPlan } from './faults.ts';
import type { MatrixWorld } from './world.ts';

export const POLL_MS = 300;
const restriction = { by: 'ada', reason: 'a trial' };

export class Person {
  readonly #world: MatrixWorld;
  readonly #plan: TrialPlan;
  readonly #service: string;
  readonly #cycles: readonly string[];

  constructor(world: MatrixWorld, plan: TrialPlan, service: string, cycles: readonly [string, string]) {
    this.#world = world;
    this.#plan = plan;
    this.#service = service;
    this.#cycles = cycles.slice(0, plan.beside ? 2 : 1);
  }

  /** Until it is over, whatever waits for somebody. */
  async attend(isOver: () => boolean): Promise<void> {
    const { person, fault, scene } = this.#plan;
    if (person === null && fault.kind !== 'pause' && fault.kind !== 'pause here') return;
    while (!isOver()) {
      await pause(POLL_MS);
      await Promise.all(this.#cycles.map((workflowId) => this.#attendTo(workflowId)));
      if (inTraffic(scene)) await Promise.all(this.#cycles.map((workflowId) => this.#attendToTrialsOf(workflowId)));
    }
  }

  kill(): Promise<void> {
    return tell(() => this.#handle(guardianId(this.#service)).executeUpdate(messages.killUpdate, RESTRICTING));
  }

  /** Stops the guardian for a while. */
  async pauseAndResume(): Promise<void> {
    await tell(() => this.#handle(guardianId(this.#service)).executeUpdate(messages.pauseUpdate, RESTRICTING));
    await this.loosen(messages.resumeUpdate, 'resume');
  }

  loosen(update: typeof messages.rearmUpdate, action: 'rearm' | 'resume'): Promise<void> {
    return this.#loosen(update, action, guardianId(this.#service));
  }

  /** As a schedule does that has seen a fast gate breached. */
  askFix(): Promise<void> {
    const finding = { gate: 'fast', metric: 'ndcg', state: 'breach', value: 0.1, limit: 0.9, baseline: null } as const;
    const findings = [{ ...finding, n: 12, because: 'it fell', withinMs: 60_000 }];
    const requestedBy = { kind: 'schedule', name: 'a trial' };
    const request = { key: `${this.#service}/breach`, requestedBy, reason: 'a trial', findings };
    const guardian = this.#handle(guardianId(this.#service));
    return tell(() => guardian.executeUpdate(fixUpdate, { args: [request], updateId: request.key }));
  }

  /** What serves now becomes gold. */
  async vouch(gold: string): Promise<void> {
    const variant = (await this.#world.control.state(this.#service))?.champion ?? gold;
    const guardian = guardianId(this.#service);
    const token = this.#sign('gold', guardian, { variant });
    await tell(() => this.#handle(guardian).executeUpdate(messages.goldUpdate, { args: [{ token, variant }] }));
  }

  /** What the fault line sends where the fault comes from outside; null for faults of the adapter itself. */
  message(): (() => Promise<void>) | null {
    const { kind, sent } = this.#plan.fault;
    const send = this.#messages[kind];
    if (!send) return null;
    return async () => {
      if (sent === 'twice at once') await Promise.all([send(), send()]);
      else await send();
      if (sent === 'twice') await send();
    };
  }

  readonly #messages: Partial<Record<FaultKind, () => Promise<void>>> = {
    kill: () => this.kill(),
    'break-glass': () => tell(() => this.#world.control.kill(this.#breakGlass)),
    abort: () => tell(() => this.#first.executeUpdate(messages.abortUpdate, RESTRICTING)),
    pause: () => tell(() => this.#first.executeUpdate(messages.pauseUpdate, RESTRICTING)),
    terminate: () => tell(() => this.#first.terminate('by hand')),
    'abort here': () => tell(() => this.#here.executeUpdate(messages.abortUpdate, RESTRICTING)),
    'pause here': () => tell(() => this.#here.executeUpdate(messages.pauseUpdate, RESTRICTING)),
    'undo here': () => tell(() => this.#here.executeUpdate(undoUpdate, RESTRICTING)),
    'terminate here': () => tell(() => this.#here.terminate('by hand')),
    'skip here': async () => {
      const { workflowId } = this.#here;
      const step = (await this.#canaryIn(workflowId))?.step;
      if (step) await this.#loosen(messages.skipUpdate, 'skip', workflowId, { step });
    },
    'promote here': () => this.#promote(this.#here.workflowId),
  };

  async #attendTo(workflowId: string): Promise<void> {
    const handle = this.#handle(workflowId);
    const status = await handle.query(messages.cycleStatusQuery).catch(() => null);
    if (status === null || status.end !== null) return;
    if (status.paused) await this.#loosen(messages.resumeUpdate, 'resume', workflowId);
    if (status.approval === null) return;
    const { step, variant, evidence } = status.approval;
    if (this.#plan.person === 'rejects') {
      await tell(() => handle.executeUpdate(messages.rejectUpdate, RESTRICTING));
    } else {
      const token = this.#sign('approve', workflowId, { step, variant, evidence });
      await tell(() => handle.executeUpdate(messages.approveUpdate, { args: [{ token }] }));
    }
  }

  async #attendToTrialsOf(cycleWorkflow: string): Promise<void> {
    const of = ofCycleWorkflow(cycleWorkflow);
    if (!of) return;
    const workflows = [abWorkflowId(of.service, of.cycle), canaryWorkflowId(of.service, of.cycle)];
    for (const workflowId of workflows) {
      const status = (await this.#canaryIn(workflowId)) ?? (await this.#abIn(workflowId));
      if (!status || status.end !== null) continue;
      if (status.paused) await this.#loosen(messages.resumeUpdate, 'resume', workflowId);
      if (this.#plan.person === 'approves') await this.#promote(workflowId);
    }
  }

  /** With a signature on what is asked; where nothing is, on nothing. */
  async #promote(workflowId: string): Promise<void> {
    const asked = (await this.#canaryIn(workflowId))?.waitsFor ?? (await this.#abIn(workflowId))?.question;
    const { step, variant, evidence } = asked ?? {};
    if (asked || this.#plan.fault.kind === 'promote here')
      await this.#loosen(promoteUpdate, 'promote', workflowId, { step, variant, evidence });
  }

  #canaryIn(workflowId: string) {
    return this.#handle(workflowId)
      .query(canaryStatusQuery)
      .catch(() => null);
  }

  #abIn(workflowId: string) {
    return this.#handle(workflowId)
      .query(abStatusQuery)
      .catch(() => null);
  }

  #loosen(
    update: typeof messages.rearmUpdate,
    action: TokenClaims['action'],
    workflowId: string,
    bound: Bound = {},
  ): Promise<void> {
    const token = this.#sign(action, workflowId, bound);
    return tell(() => this.#handle(workflowId).executeUpdate(update, { args: [{ token }] }));
  }

  #sign(action: TokenClaims['action'], workflow: string, { step, variant, evidence }: Bound = {}): string {
    const bound = { step: step ?? null, variant: variant ?? null, evidence: evidence ?? null };
    return this.#world.sign({ ...bound, action, workflow });
  }

  get #breakGlass() {
    const key = `${this.#service}/break-glass`;
    return { service: this.#service, actor: DRILL, reason: 'a trial', key };
  }

  get #first() {
    return this.#handle(this.#cycles[0] ?? '');
  }

  /** Of the call that the fault has struck. */
  get #here() {
    return this.#handle(caller().workflowId);
  }

  #handle(workflowId: string) {
    return this.#world.client.workflow.getHandle(workflowId);
  }
}

type Bound = Partial<Record<'step' | 'variant' | 'evidence', string | null | undefined>>;
const RESTRICTING: { args: [typeof restriction] } = { args: [restriction] };

/**
 * What is sent may come too late, or be refused; that is the receiver's matter. A busy machine may keep a workflow from
 * answering, and then it is asked again.
 */
export const tell = async (send: () => Promise<unknown>): Promise<void> => {
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
