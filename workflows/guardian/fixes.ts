/**
 * Who may start a fix, and what becomes of it. A fix has the traffic lane from its start to its end, so there is at most one,
 * and none beside a cycle that moves traffic.
 *
 * 1. It runs among the cycles, under an id of its own kind: whoever looks after them, or stops them, means it as well.
 * 2. The grant stands in the ledger before it starts. That is what its changes of traffic are held against.
 */
import { WorkflowExecutionAlreadyStartedError, WorkflowIdReusePolicy } from '@temporalio/common';
import { ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { StartAnswer } from '../../contracts/control.ts';
import { dayOf, FIX_ID, fixId, fixWorkflowId } from '../../contracts/ids.ts';
import type { CycleRequest, RunningCycle } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import type { FixAnswer, FixEnd, FixInput, FixRequest, FixSettings } from '../../contracts/remediation.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { byPerson, DEFAULT_PLAN, type FixObjection, HOUR_MS, symptomsOf, whyNotFix } from '../../domain/remediation.ts';
import { reasonOf } from '../failure.ts';
import { configuration, store } from '../options.ts';
import { remediation } from '../remediation.ts';
import type { Lane } from './lane.ts';
import { NO_FIXES, withoutAdmitted } from './memory.ts';
import type { Self } from './self.ts';

const SELF: Actor = { kind: 'guardian', name: 'guardian' };
/** The day's budgets are for what learns; what breaks is mended all the same. */
const NO_BUDGETS = { cyclesPerDay: Number.MAX_SAFE_INTEGER, cooldownMs: 0, running: Number.MAX_SAFE_INTEGER };

export const isFix = ({ cycle }: Pick<RunningCycle, 'cycle'>): boolean => FIX_ID.test(cycle);

export class Fixes {
  readonly #self: Self;
  readonly #lane: Lane;

  constructor(self: Self, lane: Lane) {
    this.#self = self;
    this.#lane = lane;
  }

  async admit(asked: FixRequest): Promise<FixAnswer> {
    const self = this.#self;
    const known = self.memory.answered.find(({ key }) => key === asked.key);
    if (known) return { admitted: true, fix: known.cycle, workflowId: known.workflowId };
    await self.adopt();
    const settings = await this.#settings(asked);
    if (typeof settings === 'string') return no(settings);
    const objection = this.#objection(asked, settings);
    if (objection) return this.#refused(objection);
    const permitted = await this.#mayStart(asked);
    if (!permitted.allowed) return no(permitted.because);
    // Whatever came while it was asked counts as well, such as a kill.
    const late = this.#objection(asked, settings);
    if (late) return this.#refused(late);
    const { token: _, ...request } = { ...asked, requestedBy: permitted.requestedBy };
    return this.#start(request, settings, permitted.decision);
  }

  ended(fix: string, end: FixEnd): void {
    this.#self.fixEnded(fix, end);
  }

  /** It was terminated, or its report got lost. Traffic stays with the champion, whoever that is by now. */
  async vanished({ cycle: fix, workflowId }: RunningCycle, because: string): Promise<void> {
    const { service } = this.#self;
    await this.#lane.takeBack(fix, because);
    const champion = this.#self.memory.state?.champion ?? null;
    const end: FixEnd = { outcome: 'failed', because, remedy: null, tried: [], champion };
    const row = { key: `${workflowId}/end`, service, cycle: fix, kind: 'fix ended', actor: SELF, reason: because };
    await this.#self.write([{ ...row, body: { ...end, symptoms: [] } }]);
    this.ended(fix, end);
  }

  /** A way back needs no configuration, and must not wait for one. */
  async #settings({ only }: FixRequest): Promise<FixSettings | string> {
    try {
      return await configuration.readFixSettings({ service: this.#self.service });
    } catch (error) {
      return only === undefined ? reasonOf(error) : { mode: 'act', gates: [], plan: DEFAULT_PLAN };
    }
  }

  #objection(request: FixRequest, settings: FixSettings): FixObjection | null {
    const { state, paused, lane, running, fixes = NO_FIXES } = this.#self.memory;
    return whyNotFix({
      ...{ state, request, settings, now: Date.now() },
      paused: paused !== null,
      holder: lane.holder,
      fixing: running.find(isFix)?.cycle ?? null,
      admitted: fixes.admitted,
    });
  }

  /** People are asked once an hour, however often a schedule looks. */
  #refused({ because, wait, ask }: FixObjection): FixAnswer {
    const { fixes = NO_FIXES } = this.#self.memory;
    const now = Date.now();
    if (!ask || (fixes.askedAt !== null && fixes.askedAt > now - HOUR_MS)) return { admitted: false, wait, because };
    this.#self.remember({ fixes: { ...fixes, askedAt: now } });
    return { admitted: false, wait, because, ask };
  }

  /** By itself it starts like a cycle by a gate. A person who goes back restricts, which needs nothing; a token is checked. */
  async #mayStart(asked: FixRequest): Promise<StartAnswer> {
    const { key, requestedBy, reason, token } = asked;
    if (byPerson(asked) && token === undefined) return { allowed: true, requestedBy, decision: '' };
    const trigger: CycleRequest['trigger'] = token === undefined ? 'gate' : 'hand';
    const request = { key, trigger, requestedBy, reason, ...(token !== undefined && { token }) };
    const { service } = this.#self;
    try {
      const question = { key: this.#self.key('fix'), service, request, admittedToday: 0, limits: NO_BUDGETS };
      return await store.mayStart(question);
    } catch (error) {
      return { allowed: false, because: reasonOf(error) };
    }
  }

  /** An id is never used twice: a guardian that was started anew counts on until it finds a free one. */
  async #start(request: FixRequest, settings: FixSettings, decision: string): Promise<FixAnswer> {
    const self = this.#self;
    const { service } = self;
    const now = Date.now();
    const { fixes = NO_FIXES } = self.memory;
    const day = dayOf(now);
    for (let n = fixes.day === day ? fixes.lastNumber + 1 : 1; ; n++) {
      const fix = fixId(day, n);
      const workflowId = fixWorkflowId(service, fix);
      const order = { key: self.key('grant'), service, cycle: fix, actor: SELF, reason: `${fix} is admitted` };
      const granted = await self.effect(() => store.grantLane(order));
      if (granted.outcome === 'refused') return no(`the traffic lane was refused: ${granted.because}`);
      const { epoch, promotion, champion, arms } = granted.state;
      if (champion === null) return no('the service has no champion');
      const trigger = byPerson(request) ? ('hand' as const) : ('gate' as const);
      const running = { cycle: fix, workflowId, startedAt: new Date(now).toISOString(), trigger };
      this.#remember(running, request.key, { ...fixes, day, lastNumber: n, admitted: recent(fixes.admitted, now) });
      const { plan, gates } = settings;
      const token = { epoch, promotion };
      const input = { ...{ service, fix, request, plan, gates, champion, token, arms } };
      if (!(await this.#started(input, workflowId))) continue;
      // A kill may have come while it was being started, and found nothing to stop.
      if (self.memory.state?.latch === 'killed') await self.stopCycles(self.memory.state.because);
      await this.#noteAdmitted(input, workflowId, decision);
      return { admitted: true, fix, workflowId };
    }
  }

  async #started(input: FixInput, workflowId: string): Promise<boolean> {
    const { service, fix, request } = input;
    try {
      await startChild(remediation, {
        workflowId,
        taskQueue: queues.control,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.REJECT_DUPLICATE,
        typedSearchAttributes: attributesOf({ service, cycle: fix }),
        staticSummary: `${service} ${fix}: ${request.reason}`.slice(0, 200),
        // Its tasks are short: one that a killed worker held is given to another after this.
        workflowTaskTimeout: '5s',
      });
      return true;
    } catch (error) {
      this.#self.remember(withoutAdmitted(this.#self.memory, fix));
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  #remember(running: RunningCycle, key: string, fixes: NonNullable<Self['memory']['fixes']>): void {
    const { memory } = this.#self;
    const { cycle, workflowId } = running;
    this.#self.remember({
      fixes,
      running: [...memory.running, running],
      lane: { ...memory.lane, holder: cycle },
      answered: [...memory.answered, { key, cycle, workflowId }].slice(-500),
    });
  }

  #noteAdmitted({ service, fix, request, champion }: FixInput, workflowId: string, decision: string) {
    const { requestedBy: actor, reason, findings, only = null } = request;
    const body = { workflowId, champion, only, symptoms: symptomsOf(findings), findings, decision };
    const key = `${workflowId}/admitted`;
    return this.#self.write([{ key, service, cycle: fix, kind: 'fix admitted', actor, reason, body }]);
  }
}

const recent = (admitted: readonly number[], now: number): readonly number[] => [
  ...admitted.filter((at) => at > now - HOUR_MS),
  now,
];
const no = (because: string): FixAnswer => ({ admitted: false, wait: false, because });
