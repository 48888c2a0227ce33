/** Visitors who come again and again, and what each of them got: seen from outside, as they see it. */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { Wish } from '../service-home.ts';

export interface Visit {
  readonly askedAt: number;
  readonly answeredAt: number;
  /** HTTP status; 0: nobody answered. */
  readonly status: number;
  /** Who answered; null where nobody did. */
  readonly variant: string | null;
}

/** How they come. */
export interface Habits {
  /** Asked for by name, where the gateway serves several. */
  readonly service?: string;
  readonly atOnce: number;
  /** Each of them rests at least so long after an answer. */
  readonly betweenMs: number;
  /** And asks no more often than this. */
  readonly everyMs: number;
}
const USUAL: Habits = { atOnce: 4, betweenMs: 15, everyMs: 0 };
const SUBJECTS = 400;
const PATIENCE_MS = 5_000;
const MARKS = '.,;:!?';

export class Visitors {
  readonly visits: Visit[] = [];
  readonly #url: string;
  readonly #wishes: readonly Wish[];
  readonly #habits: Habits;
  #asked = 0;
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(url: string, wishes: readonly Wish[], habits: Partial<Habits> = {}) {
    this.#url = url;
    this.#wishes = wishes;
    this.#habits = { ...USUAL, ...habits };
  }

  start(): void {
    this.#done = Promise.all(Array.from({ length: this.#habits.atOnce }, () => this.#goOn()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #goOn(): Promise<void> {
    while (!this.#stopped) {
      const visit = await this.#one();
      this.visits.push(visit);
      const { betweenMs, everyMs } = this.#habits;
      await pause(Math.max(betweenMs, everyMs - (visit.answeredAt - visit.askedAt)));
    }
  }

  async #one(): Promise<Visit> {
    const n = this.#asked++;
    const wish = this.#wishes[n % this.#wishes.length] as Wish;
    const { service } = this.#habits;
    const of = service === undefined ? '' : `&service=${service}`;
    const askedAt = Date.now();
    try {
      const { statusCode, body } = await request(
        `${this.#url}/v1/search?q=${encodeURIComponent(wish.text + marksOf(n))}${of}`,
        {
          headers: { 'x-pawl-subject': `visitor-${n % SUBJECTS}` },
          signal: AbortSignal.timeout(PATIENCE_MS),
        },
      );
      const answer = (await body.json()) as { variant?: string };
      return { askedAt, answeredAt: Date.now(), status: statusCode, variant: answer.variant ?? null };
    } catch {
      return { askedAt, answeredAt: Date.now(), status: 0, variant: null };
    }
  }
}

/** Told apart by punctuation, which no search and no judgement looks at: so no answer comes from a cache. */
const marksOf = (n: number): string =>
  ` ${[...n.toString(MARKS.length)].map((digit) => MARKS[Number.parseInt(digit, MARKS.length)]).join('')}`;
