/**
 * The users of the story: they ask the gateway over HTTP, in the words of the period, and know which document they were
 * looking for. What they see is measured here, apart from the loop's own vitals.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { ndcg } from '../../domain/rank-metrics.ts';

export interface Wish {
  readonly text: string;
  readonly document: string;
}
export interface Seen {
  readonly at: number;
  readonly ndcg: number;
  readonly latencyMs: number;
  readonly variant: string | null;
}

const EVERY_MS = 25;

export class Visitors {
  readonly seen: Seen[] = [];
  readonly #url: string;
  #wishes: readonly Wish[] = [];
  #stopped = false;
  #done: Promise<void> = Promise.resolve();

  constructor(url: string) {
    this.#url = url;
  }

  /** From here on they ask for these. */
  ask(wishes: readonly Wish[]): void {
    this.#wishes = wishes;
  }

  start(): void {
    this.#done = this.#goOn();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  /** The mean of what they saw since a moment. */
  since(from: number): { ndcg: number; p95: number; requests: number; failed: number } {
    const seen = this.seen.filter(({ at }) => at >= from);
    const answered = seen.filter(({ variant }) => variant !== null);
    const latencies = answered.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
    return {
      ndcg: answered.reduce((sum, one) => sum + one.ndcg, 0) / answered.length,
      p95: latencies[Math.floor(latencies.length * 0.95)] ?? Number.NaN,
      requests: seen.length,
      failed: seen.length - answered.length,
    };
  }

  async one(wish: Wish, visitor: string): Promise<Seen> {
    const at = Date.now();
    try {
      const answer = await request(`${this.#url}/v1/search?q=${encodeURIComponent(wish.text)}&k=10`, {
        headers: { 'x-pawl-subject': visitor },
        headersTimeout: 5_000,
      });
      if (answer.statusCode !== 200) throw new Error(String(answer.statusCode));
      const { variant, hits } = (await answer.body.json()) as { variant: string; hits: Array<{ id: string }> };
      const ranked = hits.map(({ id }) => id);
      return { at, variant, latencyMs: Date.now() - at, ndcg: ndcg(ranked, { [wish.document]: 1 }) };
    } catch {
      return { at, variant: null, latencyMs: Date.now() - at, ndcg: 0 };
    }
  }

  async #goOn(): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const wish = this.#wishes[n % this.#wishes.length];
      if (wish) this.seen.push(await this.one(wish, `visitor-${n % 997}`));
      await pause(EVERY_MS);
    }
  }
}
