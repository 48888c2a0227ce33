import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { CycleEnd, CycleInput, Outcome } from '../../contracts/messages.ts';
import type { Notice, NoticeType } from '../../contracts/notice.ts';
import { reasonOf } from '../failure.ts';
import { messenger, store } from '../options.ts';

/** The ends that somebody should hear of who was not asked. */
const ENDS: Readonly<Partial<Record<Outcome, NoticeType>>> = {
  'rolled back': 'cycle.rolled-back',
  failed: 'cycle.failed',
  killed: 'cycle.killed',
};

/** Whose notices these are: a cycle's, or those of a child of one. */
export type Told = Pick<CycleInput, 'service' | 'cycle'> & { readonly plan: Pick<CycleInput['plan'], 'notify'> };

/**
 * Tells people what happens, where the plan says so. Nothing waits for it but the workflow's own end, and one that cannot
 * be told is a row in the ledger and nothing more.
 */
export class Notices {
  readonly #input: Told;
  readonly #sending = new Set<Promise<void>>();

  constructor(input: Told) {
    this.#input = input;
  }

  /** `about` tells this notice from the others of its type. */
  send(type: NoticeType, about: string, notice: Pick<Notice, 'text' | 'approval' | 'roles' | 'command'>): void {
    const { plan, service, cycle } = this.#input;
    if (!plan.notify) return;
    const key = `${workflowInfo().workflowId}/notice/${type}/${about}`;
    const whole: Notice = { key, type, at: new Date().toISOString(), service, cycle, ...notice };
    // Whoever stops the cycle does not stop people from hearing of it.
    const sent = CancellationScope.nonCancellable(() => this.#send(whole)).finally(() => {
      this.#sending.delete(sent);
    });
    this.#sending.add(sent);
  }

  ended({ outcome, because }: CycleEnd): void {
    const type = ENDS[outcome];
    const { service, cycle } = this.#input;
    if (type) this.send(type, 'end', { text: `${service}: ${cycle} ended as ${outcome}: ${because}` });
  }

  /** Each has either arrived or been given up, which takes no longer than the activity's options allow. */
  async settled(): Promise<void> {
    await Promise.all(this.#sending);
  }

  async #send(notice: Notice): Promise<void> {
    try {
      await messenger.notify.executeWithOptions({ summary: `tell people: ${notice.type}` }, [notice]);
    } catch (error) {
      const { key, type, service, cycle } = notice;
      const row = { key: `${key}/failed`, service, cycle, kind: 'notification failed', body: { type, key } };
      await store.note({ entries: [{ ...row, actor: { kind: 'cycle', name: cycle }, reason: reasonOf(error) }] });
    }
  }
}
