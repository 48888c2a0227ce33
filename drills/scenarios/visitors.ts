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

const AT_ONCE = 4;
const BETWEEN_MS = 15;
const SUBJECTS = 400;
const PATIENCE_MS = 5_000;
const MARKS = '.,;:!?';

export class Visitors {
  readonly visits: Visit[] = [];
  readonly #url: string;
  readonly #wishes: readonly Wish[];
  #asked = 0;
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(url: string, wishes: readonly Wish[]) {
    this.#url = url;
    this.#wishes = wishes;
  }

  start(): void {
    this.#done = Promise.all(Array.from({ length: AT_ONCE }, () => this.#goOn()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #goOn(): Promise<void> {
    while (!this.#stopped) {
      this.visits.push(await this.#one());
      await pause(BETWEEN_MS);
    }
  }

  async #one(): Promise<Visit> {
    const n = this.#asked++;
    const wish = this.#wishes[n % this.#wishes.length] as Wish;
    const askedAt = Date.now();
    try {
      const { statusCode, body } = await request(
        `${this.#url}/v1/search?q=${encodeURIComponent(wish.text + marksOf(n))}`,
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
