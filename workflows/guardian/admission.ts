/**
 * Who may start a cycle, and looking after those that run. A cycle is remembered before it is started, and forgotten only
 * when it has reported or Temporal says that it has ended.
 */
import { patched } from '@temporalio/workflow';
import type { StartAnswer } from '../../contracts/control.ts';
import { cycleWorkflowId, dayOf } from '../../contracts/ids.ts';
import { fieldOf } from '../../contracts/message-shapes.ts';
import type { Admission, CycleEnd, CycleReport, CycleRequest, RunningCycle } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import type { FixEnd } from '../../contracts/remediation.ts';
import { objection } from '../../domain/admission.ts';
import { reasonOf } from '../failure.ts';
import { ask, configuration, store } from '../options.ts';
import { type Fixes, isFix } from './fixes.ts';
import type { Lane } from './lane.ts';
import { onDay, withAdmitted, withoutAdmitted } from './memory.ts';
import type { Self } from './self.ts';
import { startCycle } from './start-cycle.ts';

export class Admissions {
  readonly #self: Self;
  readonly #lane: Lane;
  readonly #fixes: Fixes;

  constructor(self: Self, lane: Lane, fixes: Fixes) {
    this.#self = self;
    this.#lane = lane;
    this.#fixes = fixes;
  }

  async admit(asked: CycleRequest): Promise<Admission> {
    const self = this.#self;
    const known = self.memory.answered.find(({ key }) => key === asked.key);
    if (known) return { admitted: true, cycle: known.cycle, workflowId: known.workflowId };
    await self.adopt();
    let plan: CyclePlan;
    try {
      plan = await configuration.readPlan({ service: self.service });
    } catch (error) {
      return { admitted: false, because: reasonOf(error) };
    }
    self.remember({ ...onDay(self.memory, dayOf(Date.now())), cooldownMs: plan.limits.cooldownMs });
    // The policy decides about starts since 2026-11. To go once no guardian's run is left that began before: it continues
    // as new every few thousand events.
    const policed = patched('2026-11-policy');
    let because = this.#objection(asked, plan, policed);
    let request = asked;
    let decision: string | null = null;
    if (policed && because === null) {
      const answer = await this.#mayStart(asked, plan);
      // Whatever came while it was asked counts as well, such as a pause.
      because = answer.allowed ? this.#objection(asked, plan, policed) : answer.because;
      const { token: _, ...unsigned } = asked; // It is spent.
      if (answer.allowed) request = { ...unsigned, requestedBy: answer.requestedBy };
      if (answer.allowed) decision = answer.decision;
    }
    const { state } = self.memory;
    if (because !== null || !state?.champion) return { admitted: false, because: because ?? 'no champion' };

    const input = { service: self.service, request, plan, champion: state.champion, epoch: state.epoch };
    const started = await startCycle(input, self.memory.today, {
      remember: (today, cycle) => self.remember(withAdmitted(self.memory, request.key, cycle, today)),
      forget: (cycle) => self.remember(withoutAdmitted(self.memory, cycle)),
    });
    // A kill may have come while the cycle was being started, and found nothing to stop.
    if (self.memory.state?.latch === 'killed') await self.stopCycles(self.memory.state.because);
    await this.#noteAdmitted(started, request, plan, state.champion, decision);
    return { admitted: true, cycle: started.cycle, workflowId: started.workflowId };
  }

  /** Anyone may send a report; one about a cycle that is not known to run changes nothing. */
  reported(report: unknown): void {
    const cycle = fieldOf(report, 'cycle');
    if (cycle === null || !this.#self.memory.running.some((one) => one.cycle === cycle)) return;
    const { end } = report as CycleReport;
    if (typeof end?.outcome === 'string' && typeof end.because === 'string') this.#ended(cycle, end);
  }

  /** Finds cycles that ended without a word (terminated, or a report that got lost) and puts their traffic back. */
  async lookAfter(): Promise<void> {
    const { running } = this.#self.memory;
    if (running.length === 0) return;
    const ended = await ask.findEnded({ workflowIds: running.map(({ workflowId }) => workflowId) });
    for (const { workflowId, status, end, promoted } of ended) {
      const gone = this.#self.memory.running.find((one) => one.workflowId === workflowId);
      const because = `the workflow ended without a report (${status})`;
      if (gone && end) this.#ended(gone.cycle, end);
      else if (gone && isFix(gone)) await this.#fixes.vanished(gone, because);
      else if (gone) await this.#vanished(gone, because, promoted);
    }
  }

  /** By its id: what is reported may say anything. */
  #ended(cycle: string, end: CycleEnd | FixEnd): void {
    if (isFix({ cycle })) this.#fixes.ended(cycle, end as FixEnd);
    else this.#self.ended(cycle, end as CycleEnd);
  }

  /** Proves who asks, where a token came along, and holds the day's budgets against what was used of them. */
  async #mayStart(request: CycleRequest, { limits }: CyclePlan): Promise<StartAnswer> {
    const { service, memory } = this.#self;
    const key = this.#self.key('start');
    try {
      return await store.mayStart({ key, service, request, admittedToday: memory.today.admitted, limits });
    } catch (error) {
      return { allowed: false, because: reasonOf(error) };
    }
  }

  #objection({ trigger }: CycleRequest, plan: CyclePlan, budgetsByPolicy: boolean): string | null {
    const { state, paused, running, today, cooldownUntil } = this.#self.memory;
    return objection({
      state,
      plan,
      cooldownUntil,
      now: Date.now(),
      paused: paused !== null,
      running: running.filter((one) => !isFix(one)).length,
      admittedToday: today.admitted,
      byHand: trigger === 'hand',
      budgetsByPolicy,
    });
  }

  /** A promotion that has taken effect is its end here as well, though nobody could tell it. */
  async #vanished({ cycle }: RunningCycle, because: string, told?: string): Promise<void> {
    const { service } = this.#self;
    const promoted = (await this.#lane.takeBack(cycle, because)) ?? told ?? null;
    const champion = this.#self.memory.state?.champion ?? null;
    const end: CycleEnd =
      promoted === null
        ? { outcome: 'failed', because, challenger: null, champion }
        : {
            outcome: 'promoted',
            because: `it was promoted, and then ${because}`,
            challenger: promoted,
            champion: promoted,
          };
    const actor = { kind: 'guardian', name: 'guardian' };
    const key = `${cycleWorkflowId(service, cycle)}/end`;
    await this.#self.write([{ key, service, cycle, kind: 'cycle ended', actor, reason: because, body: { ...end } }]);
    this.#self.ended(cycle, end);
  }

  #noteAdmitted(
    { cycle, workflowId }: RunningCycle,
    { trigger, requestedBy, reason }: CycleRequest,
    plan: CyclePlan,
    champion: string,
    decision: string | null,
  ) {
    const { config, commit, approval } = plan;
    const body = { trigger, workflowId, champion, config, commit, approval, decision };
    const row = { service: this.#self.service, cycle, kind: 'cycle admitted', actor: requestedBy, reason, body };
    return this.#self.write([{ ...row, key: `${workflowId}/admitted` }]);
  }
}
