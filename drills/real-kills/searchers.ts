/**
 * Who asks the gateway all the time. Every question is its own, told apart by its punctuation, which no search and no judgement
 * looks at: so each answer can be looked for in the log of served requests.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { Wish } from '../service-home.ts';

export interface Search {
  readonly query: string;
  readonly service: string;
  readonly askedAt: number;
  readonly answeredAt: number;
  /** Whether it was answered with 200. */
  readonly answered: boolean;
}

const EVERY_MS = 25;
const PATIENCE_MS = 5_000;
const MARKS = '.,;:!?';

export class Searchers {
  readonly searches: Search[] = [];
  readonly #url: string;
  readonly #services: readonly string[];
  readonly #wishes: readonly Wish[];
  readonly #waiting = new Set<(search: Search) => void>();
  #asked = 0;
  #stopped = false;
  #done: Promise<unknown> = Promise.resolve();

  constructor(url: string, services: readonly string[], wishes: readonly Wish[]) {
    this.#url = url;
    this.#services = services;
    this.#wishes = wishes;
  }

  /** One for each service. */
  start(): void {
    this.#done = Promise.all(this.#services.map((service) => this.#goOn(service)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  /** Resolves with the first answer to a question that was asked after this moment. */
  answeredAfter(moment: number): Promise<Search> {
    return new Promise((resolve) => {
      const listen = (search: Search): void => {
        if (!search.answered || search.askedAt < moment) return;
        this.#waiting.delete(listen);
        resolve(search);
      };
      this.#waiting.add(listen);
    });
  }

  async #goOn(service: string): Promise<void> {
    while (!this.#stopped) {
      const search = await this.#one(service);
      this.searches.push(search);
      for (const listen of this.#waiting) listen(search);
      await pause(EVERY_MS);
    }
  }

  async #one(service: string): Promise<Search> {
    const n = ++this.#asked;
    const query = `${this.#wishes[n % this.#wishes.length]?.text} ${marksOf(n)}`;
    const asked = { query, service, askedAt: Date.now() };
    try {
      const url = `${this.#url}/v1/search?service=${service}&q=${encodeURIComponent(query)}&k=10`;
      const { statusCode, body } = await request(url, {
        headers: { 'x-pawl-subject': `visitor-${n % 997}` },
        headersTimeout: PATIENCE_MS,
        bodyTimeout: PATIENCE_MS,
      });
      await body.dump();
      return { ...asked, answeredAt: Date.now(), answered: statusCode === 200 };
    } catch {
      return { ...asked, answeredAt: Date.now(), answered: false };
    }
  }
}

/** A number, written in punctuation. */
const marksOf = (n: number): string =>
  n
    .toString(MARKS.length)
    .split('')
    .map((digit) => MARKS[Number(digit)])
    .join('');
