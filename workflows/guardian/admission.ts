/**
 * Who may start a cycle, and looking after those that run. A cycle is remembered before it is started, and forgotten only
 * when it has reported or Temporal says that it has ended.
 */
import { cycleWorkflowId, dayOf } from '../../contracts/ids.ts';
import { fieldOf } from '../../contracts/message-shapes.ts';
import type { Admission, CycleEnd, CycleReport, CycleRequest, RunningCycle } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { objection } from '../../domain/admission.ts';
import { reasonOf } from '../failure.ts';
import { ask, configuration, store } from '../options.ts';
import type { Lane } from './lane.ts';
import { onDay, withAdmitted, withoutAdmitted } from './memory.ts';
import type { Self } from './self.ts';
import { startCycle } from './start-cycle.ts';

export class Admissions {
  readonly #self: Self;
  readonly #lane: Lane;

  constructor(self: Self, lane: Lane) {
    this.#self = self;
    this.#lane = lane;
  }

  async admit(request: CycleRequest): Promise<Admission> {
    const self = this.#self;
    const known = self.memory.answered.find(({ key }) => key === request.key);
    if (known) return { admitted: true, cycle: known.cycle, workflowId: known.workflowId };
    await self.adopt();
    let plan: CyclePlan;
    try {
      plan = await configuration.readPlan({ service: self.service });
    } catch (error) {
      return { admitted: false, because: reasonOf(error) };
    }
    self.remember({ ...onDay(self.memory, dayOf(Date.now())), cooldownMs: plan.limits.cooldownMs });
    const because = this.#objection(request, plan);
    const { state } = self.memory;
    if (because !== null || !state?.champion) return { admitted: false, because: because ?? 'no champion' };

    const input = { service: self.service, request, plan, champion: state.champion, epoch: state.epoch };
    const started = await startCycle(input, self.memory.today, {
      remember: (today, cycle) => self.remember(withAdmitted(self.memory, request.key, cycle, today)),
      forget: (cycle) => self.remember(withoutAdmitted(self.memory, cycle)),
    });
    // A kill may have come while the cycle was being started, and found nothing to stop.
    if (self.memory.state?.latch === 'killed') await self.stopCycles(self.memory.state.because);
    await this.#noteAdmitted(started, request, plan, state.champion);
    return { admitted: true, cycle: started.cycle, workflowId: started.workflowId };
  }

  /** Anyone may send a report; one about a cycle that is not known to run changes nothing. */
  reported(report: unknown): void {
    const cycle = fieldOf(report, 'cycle');
    if (cycle === null || !this.#self.memory.running.some((one) => one.cycle === cycle)) return;
    const { end } = report as CycleReport;
    if (typeof end?.outcome === 'string' && typeof end.because === 'string') this.#self.ended(cycle, end);
  }

  /** Finds cycles that ended without a word (terminated, or a report that got lost) and puts their traffic back. */
  async lookAfter(): Promise<void> {
    const { running } = this.#self.memory;
    if (running.length === 0) return;
    const ended = await ask.findEnded({ workflowIds: running.map(({ workflowId }) => workflowId) });
    for (const { workflowId, status, end } of ended) {
      const gone = this.#self.memory.running.find((one) => one.workflowId === workflowId);
      if (gone && end) this.#self.ended(gone.cycle, end);
      else if (gone) await this.#vanished(gone, `the workflow ended without a report (${status})`);
    }
  }

  #objection({ trigger }: CycleRequest, plan: CyclePlan): string | null {
    const { state, paused, running, today, cooldownUntil } = this.#self.memory;
    return objection({
      state,
      plan,
      cooldownUntil,
      now: Date.now(),
      paused: paused !== null,
      running: running.length,
      admittedToday: today.admitted,
      byHand: trigger === 'hand',
    });
  }

  async #vanished({ cycle }: RunningCycle, because: string): Promise<void> {
    const { service } = this.#self;
    await this.#lane.takeBack(cycle, because);
    const champion = this.#self.memory.state?.champion ?? null;
    const end: CycleEnd = { outcome: 'failed', because, challenger: null, champion };
    const actor = { kind: 'guardian', name: 'guardian' };
    const key = `${cycleWorkflowId(service, cycle)}/end`;
    await store.note({
      entries: [{ key, service, cycle, kind: 'cycle ended', actor, reason: because, body: { ...end } }],
    });
    this.#self.ended(cycle, end);
  }

  #noteAdmitted(
    { cycle, workflowId }: RunningCycle,
    { trigger, requestedBy, reason }: CycleRequest,
    plan: CyclePlan,
    champion: string,
  ) {
    const body = { trigger, workflowId, champion, config: plan.config, commit: plan.commit };
    const row = { service: this.#self.service, cycle, kind: 'cycle admitted', actor: requestedBy, reason, body };
    return store.note({ entries: [{ ...row, key: `${workflowId}/admitted` }] });
  }
}
