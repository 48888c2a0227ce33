/**
 * What all parts of the guardian share: its memory, the store's answers, and the ledger's outbox.
 *
 * 1. The store is the truth about latch, epoch, promotion and traffic. An answer that was asked for before one that has
 *    been heard already is old news: a kill goes past everything else, and must not be forgotten again.
 * 2. What is in the outbox outlives the run. An activity for each row would let a flood of messages reach the server's
 *    limit of pending activities, and block the guardian for good.
 */
import { patched, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { LedgerEntry } from '../../contracts/control.ts';
import type { GuardianMemory } from '../../contracts/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import type { LedgerHead } from '../../contracts/ledger.ts';
import { type CycleEnd, killSignal, type Outcome } from '../../contracts/messages.ts';
import type { FixEnd } from '../../contracts/remediation.ts';
import type { Actor, ServiceState, StateAnswer } from '../../contracts/traffic.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';
import { detailsOf, statusOf, withEnd, withFixEnd } from './memory.ts';

/** Small enough for one short activity. */
const NOTES_AT_ONCE = 100;
/** Ends after which the store may hold something new. */
const TRAFFIC_MOVED: ReadonlySet<Outcome> = new Set(['promoted', 'rolled back', 'failed', 'killed', 'aborted']);

export class Self {
  readonly service: string;
  /** The store is to be read again, at once. */
  stale = true;
  #memory: GuardianMemory;
  /** Part of the memory, and grown in place: thousands of messages may come in one workflow task. */
  readonly #outbox: LedgerEntry[];
  #refusal: string | null = null;
  #asked = 0;
  #heard = 0;

  constructor(service: string, memory: GuardianMemory) {
    this.service = service;
    this.#outbox = [...memory.outbox];
    this.#memory = { ...memory, outbox: this.#outbox };
  }

  get memory(): GuardianMemory {
    return this.#memory;
  }

  remember(changes: Partial<GuardianMemory>): void {
    this.#memory = { ...this.#memory, ...changes };
    this.#show();
  }

  /** An effect on the store, which answers with what it holds afterwards. */
  async effect(ask: () => Promise<StateAnswer>): Promise<StateAnswer> {
    const turn = ++this.#asked;
    const answer = await ask();
    this.#hear(turn, answer.state);
    return answer;
  }

  /** Takes over what the store holds; after a break-glass kill this is how the guardian learns of it. */
  async adopt(): Promise<void> {
    const before = this.#memory.state;
    const turn = ++this.#asked;
    this.#hear(turn, await store.readState({ service: this.service }));
    this.stale = false;
    const { state } = this.#memory;
    if (state?.latch === 'killed' && before?.latch !== 'killed') await this.stopCycles(state.because);
  }

  /** Before anything is awaited, so that an admission under way sees it. What was asked for earlier is old news now. */
  killed(because: string): void {
    if (patched('2026-11-kill-is-news')) this.#heard = ++this.#asked;
    const { state } = this.#memory;
    if (state) this.remember({ state: { ...state, latch: 'killed', because } });
  }

  async stopCycles(reason: string): Promise<void> {
    const order = { by: 'guardian', reason };
    await Promise.all(this.#memory.running.map(({ workflowId }) => tell(workflowId, killSignal, order)));
  }

  ended(cycle: string, end: CycleEnd): void {
    this.stale ||= TRAFFIC_MOVED.has(end.outcome);
    this.remember(withEnd(this.#memory, cycle, end, Date.now()));
  }

  /** What it moved the store knows better. */
  fixEnded(fix: string, end: FixEnd): void {
    this.stale = true;
    this.remember(withFixEnd(this.#memory, fix, end));
  }

  /** A key of its own for each effect, over all runs of this guardian. */
  key(what: string): string {
    const n = this.#memory.effects + 1;
    this.#memory = { ...this.#memory, effects: n };
    return `${guardianId(this.service)}/${workflowInfo().firstExecutionRunId}/${n}/${what}`;
  }

  /** A row for the ledger, written by and by. */
  note(kind: string, actor: Actor, reason: string): void {
    this.#outbox.push({ key: this.key(kind), service: this.service, cycle: null, kind, actor, reason, body: {} });
  }

  async writeOutbox(): Promise<void> {
    const entries = this.#outbox.slice(0, NOTES_AT_ONCE);
    if (entries.length === 0) return;
    await this.write(entries);
    this.#outbox.splice(0, entries.length);
  }

  /** Rows for the ledger, written now. The head after them is remembered, here and so in the history. */
  async write(entries: readonly LedgerEntry[]): Promise<void> {
    // Histories from before there was a head have no answer here.
    const head: LedgerHead | undefined = await store.note({ entries });
    if (head && head.size >= (this.#memory.ledger?.size ?? 0)) this.#memory = { ...this.#memory, ledger: head };
  }

  /** A signal has no answer: why it was refused is shown where the person looks next. */
  showRefusal(because: string): void {
    this.#refusal = because;
    this.#show();
  }

  #hear(turn: number, state: ServiceState | null): void {
    if (turn < this.#heard) return;
    this.#heard = turn;
    this.remember({ state });
  }

  #show(): void {
    setCurrentDetails(detailsOf(statusOf(this.service, this.#memory), this.#refusal));
  }
}
