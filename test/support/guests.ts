/** Who asks one gateway all the time, and keeps what came of each question: whether it was answered, by whom, and when. */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { Wish } from '../../drills/service-home.ts';

export interface Asked {
  readonly from: number;
  /** 0: no answer came. */
  readonly status: number;
  readonly variant: string | null;
}

const EVERY_MS = 25;

export class Guests {
  readonly asked: Asked[] = [];
  readonly #url: string;
  readonly #wishes: readonly Wish[];
  #stopped = false;
  #done: Promise<void> = Promise.resolve();

  constructor(url: string, wishes: readonly Wish[]) {
    this.#url = url;
    this.#wishes = wishes;
  }

  start(): void {
    this.#done = this.#goOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #goOn(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      this.asked.push(await this.#ask(this.#wishes[n % this.#wishes.length]?.text ?? '', `guest-${n % 997}`));
      await pause(EVERY_MS);
    }
  }

  async #ask(question: string, subject: string): Promise<Asked> {
    const from = Date.now();
    try {
      const url = `${this.#url}/v1/search?q=${encodeURIComponent(question)}&k=10`;
      const { statusCode: status, body } = await request(url, { headers: { 'x-pawl-subject': subject } });
      const { variant = null } = (await body.json()) as { variant?: string };
      return { from, status, variant };
    } catch {
      return { from, status: 0, variant: null };
    }
  }
}
