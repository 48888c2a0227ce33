/**
 * A hundred changes of what serves, under load, over two gateways of one home: requests that fail, answers that are not
 * those of the variant that they name, and the time until both gateways answer with the new one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { folderArtifacts } from '../adapters/artifacts/folder.ts';
import { homePaths } from '../adapters/home.ts';
import { saveHybrid } from '../adapters/hybrid/variant.ts';
import { DEFAULT_SETTINGS } from '../adapters/lexical/variant.ts';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { PawlError } from '../contracts/failures.ts';
import type { HybridSettings } from '../contracts/retrieval.ts';
import { percentile } from '../domain/percentile.ts';
import { DRILL, makeServiceHome, SERVICE, type ServiceHome } from '../drills/service-home.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import { atMost, type Benchmark, explaining } from './benchmark.ts';

const CHANGES = 100;
const CLIENTS = 4;
/** Requests that are answered between two changes, at least. */
const BETWEEN = 40;
/** Asking for another number of hits is another question to the cache. */
const LEAST_HITS = 10;
const MOST_HITS = 100;
const PATIENCE_MS = 120_000;
const GATEWAY = fileURLToPath(new URL('../gateway/main.ts', import.meta.url));

const hybrid = (base: string): HybridSettings => ({
  chunking: { method: 'recursive', size: 1_000 },
  lexical: DEFAULT_SETTINGS,
  dense: { base, adapter: null, side: 'query', lengths: { query: 64, document: 192 } },
  fusion: { method: 'rrf', k: 60, weights: { lexical: 1, dense: 1 }, depth: 50 },
  rerank: null,
  threshold: null,
});

interface Answer {
  readonly variant: string;
  readonly ids: readonly string[];
}

class Gateways {
  readonly #children: ChildProcess[] = [];
  readonly #urls: string[] = [];
  readonly #agent = new Agent({ connections: 2 * CLIENTS });

  get urls(): readonly string[] {
    return this.#urls;
  }

  async start(home: string, variables: Readonly<Record<string, string | undefined>>): Promise<void> {
    const env = { ...variables, PAWL_HOME: home, PAWL_GATEWAY_PORT: '0' };
    const child = spawn(process.execPath, [GATEWAY], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    for await (const line of createInterface({ input: child.stdout })) {
      const { address } = JSON.parse(line) as { address?: string };
      if (address === undefined) continue;
      this.#urls.push(address);
      child.stdout.resume();
      return;
    }
    throw new PawlError('Unavailable', 'A gateway ended before it listened.', { hint: 'What it said stands above.' });
  }

  async ask(url: string, question: string, k: number): Promise<Answer> {
    const { statusCode, body } = await request(`${url}/v1/search?q=${encodeURIComponent(question)}&k=${k}`, {
      dispatcher: this.#agent,
    });
    const answer = (await body.json()) as { variant: string; hits: readonly { id: string }[] };
    if (statusCode !== 200) throw new Error(`${statusCode}: ${JSON.stringify(answer)}`);
    return { variant: answer.variant, ids: answer.hits.map(({ id }) => id) };
  }

  /** Asks each until all of them answer with this variant; answers with how long the last of them took. */
  async untilAll(variant: string, question: string): Promise<number> {
    const began = performance.now();
    await Promise.all(
      this.#urls.map(async (url) => {
        while ((await this.ask(url, question, MOST_HITS)).variant !== variant) {
          if (performance.now() - began > PATIENCE_MS) {
            throw new PawlError('Unavailable', `${url} does not serve ${variant} after ${PATIENCE_MS / 1_000} s.`, {
              hint: 'Look into its log, above.',
            });
          }
        }
      }),
    );
    return performance.now() - began;
  }

  async stop(): Promise<void> {
    for (const child of this.#children) {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    }
    await this.#agent.close();
  }
}

const shifting = async ({ control }: ServiceHome) => {
  const granted = await control.grant({
    key: 'swap/grant',
    service: SERVICE,
    actor: DRILL,
    cycle: 'swap',
    reason: 'a benchmark',
  });
  const { epoch = 0, promotion = 0 } = granted.state ?? {};
  let changes = 0;
  return async (variants: readonly string[], all: string): Promise<void> => {
    const done = await control.shift({
      ...{ key: `swap/${++changes}`, service: SERVICE, actor: DRILL, cycle: 'swap', reason: 'a benchmark' },
      token: { epoch, promotion },
      arms: variants.map((variant) => ({ variant, share: variant === all ? 1 : 0 })),
    });
    if (done.outcome !== 'done') throw new PawlError('Internal', `The store refused a change: ${done.because}`);
  };
};

export const swap: Benchmark = {
  about: 'a hundred changes of what serves, under load, over two gateways',
  run: async (progress) => {
    const environment = readEnvironment();
    const { model } = await modelCacheOf(environment).import(DEFAULT_SOURCE, { tell: progress });
    const home = await makeServiceHome();
    const gateways = new Gateways();
    try {
      const artifacts = folderArtifacts(homePaths(home.home).artifacts);
      const variants = [home.gold];
      for (const settings of [{ ...hybrid(model.id), dense: null }, hybrid(model.id)]) {
        const { id, artifact } = await saveHybrid(artifacts, SERVICE, settings);
        await home.control.addVariant({
          ...{ id, service: SERVICE, artifact, origin: 'bench' },
          createdAt: new Date().toISOString(),
        });
        variants.push(id);
      }
      progress('starting two gateways');
      for (let n = 0; n < 2; n++) await gateways.start(home.home, environment.variables);
      const shift = await shifting(home);
      const questions = home.wishes.map(({ text }) => text);
      const [first = ''] = questions;

      const expected = new Map<string, readonly string[]>();
      const loads: number[] = [];
      for (const variant of variants) {
        progress(`loading ${variant.slice(0, 12)}, and asking it alone`);
        await shift(variants, variant);
        loads.push(await gateways.untilAll(variant, first));
        for (const url of gateways.urls) {
          for (const question of questions)
            expected.set(`${variant} ${question}`, (await gateways.ask(url, question, MOST_HITS)).ids);
        }
      }

      let [asked, failed, mixed, going] = [0, 0, 0, true];
      const client = async (at: number): Promise<void> => {
        for (let n = at; going; n++) {
          const question = questions[n % questions.length] ?? '';
          const url = gateways.urls[n % gateways.urls.length] ?? '';
          asked++;
          try {
            const k = LEAST_HITS + (n % (MOST_HITS - LEAST_HITS));
            const { variant, ids } = await gateways.ask(url, question, k);
            const own = expected.get(`${variant} ${question}`)?.slice(0, k) ?? [];
            if (own.length !== ids.length || own.some((id, place) => id !== ids[place])) mixed++;
          } catch (error) {
            failed++;
            progress(String(error));
          }
        }
      };
      const clients = Promise.all(Array.from({ length: CLIENTS }, (_, at) => client(at)));
      const everywhere: number[] = [];
      for (let change = 0; change < CHANGES; change++) {
        const variant = variants[change % variants.length] ?? '';
        await shift(variants, variant);
        everywhere.push(await gateways.untilAll(variant, first));
        for (const before = asked; asked < before + BETWEEN; ) await setImmediate();
        if (change % 20 === 19) progress(`${change + 1} of ${CHANGES} changes, ${asked} requests`);
      }
      going = false;
      await clients;
      return {
        figures: [
          atMost(0, explaining('requests that failed', failed, '', asked)),
          atMost(0, explaining('answers that are not those of their variant', mixed, '', asked)),
          atMost(
            1_000,
            explaining(
              'until both gateways answer with the new one, slowest',
              percentile(everywhere, 1),
              'ms',
              CHANGES,
            ),
          ),
          explaining('  median', percentile(everywhere, 0.5), 'ms', CHANGES),
          ...variants.map((_, n) =>
            explaining(
              `first load of ${['full text', 'words over parts', 'words and meaning'][n]}`,
              loads[n] ?? 0,
              'ms',
              1,
            ),
          ),
        ],
        versions: { node: process.versions.node, model: `${model.name} ${model.id.slice(0, 12)}` },
      };
    } finally {
      await gateways.stop();
      home.control.close();
      rmSync(home.home, { recursive: true, force: true });
    }
  },
};
