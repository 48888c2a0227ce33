/** A gateway on loopback over a real store, with a search engine that the test plays. */
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { memoryAnswers } from '../../adapters/answer-cache/memory.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import type { QueryLog } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { Arm } from '../../contracts/traffic.ts';
import { createGateway, type GatewayDeps } from '../../gateway/gateway.ts';
import type { LoadedVariant, SearchEngine } from '../../gateway/search-engine.ts';
import { testAccess } from './access.ts';

const actor = { kind: 'person', name: 'ada' };
/** So that each request is answered by the engine. */
const noCache = () => memoryAnswers(() => 0, { entries: 0 });
let keys = 0;
const order = (service = 'docs') => ({ key: `key-${++keys}`, service, actor, reason: 'because' });

export const [CHAMPION, GOLD, CHALLENGER] = ['champion-1', 'gold-1', 'challenger-1'] as const;

export interface PlayedEngine extends SearchEngine {
  /** Variants whose artifact does not hold what its digest promises. */
  readonly damaged: Set<string>;
  /** What a variant does instead of answering with its own name. */
  readonly plays: Map<string, LoadedVariant['search']>;
  /** What a variant has to wait for before it is loaded. */
  readonly waits: Map<string, Promise<void>>;
  /** Variants that were given back, in their order. */
  readonly released: string[];
}

export const playedEngine = (): PlayedEngine => {
  const damaged = new Set<string>();
  const plays: PlayedEngine['plays'] = new Map();
  const waits: PlayedEngine['waits'] = new Map();
  const released: string[] = [];
  return {
    damaged,
    plays,
    waits,
    released,
    load: async (variant) => {
      await waits.get(variant);
      if (damaged.has(variant)) throw new PawlError('DigestMismatch', `${variant} is damaged`);
      const hits = (k: number) =>
        Array.from({ length: k }, (_, at) => ({ id: `${variant}/${at}`, score: k - at, title: '' }));
      return {
        search: async (question) => plays.get(variant)?.(question) ?? { hits: hits(question.k), cpuMs: 3_600 },
        state: () => 'as ever',
        release: async () => {
          released.push(variant);
        },
      };
    },
    index: () => ({ state: 'ready', because: null, corpus: 'c0ffee', documents: 3 }),
    renew: async () => undefined,
    close: async () => undefined,
  };
};

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly about: Record<string, unknown>;
}

const recorder = () => {
  const lines: LoggedLine[] = [];
  const at = (level: string) => (about: object, message: string) => lines.push({ level, message, about: { ...about } });
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } };
};

/** A service whose champion is not its gold, so that a kill can be told from a good day. */
export const registered = async (control: ControlStore, service = 'docs'): Promise<void> => {
  for (const id of [CHAMPION, GOLD, CHALLENGER]) {
    const own = service === 'docs' ? id : `${id}-${service}`;
    const artifact = { uri: `artifact:sha256/${own}`, sha256: own };
    await control.addVariant({ id: own, service, artifact, origin: 'init', createdAt: '2026-11-21T00:00:00.000Z' });
  }
  const champion = service === 'docs' ? CHAMPION : `${CHAMPION}-${service}`;
  await control.register({ ...order(service), champion });
};

export const kill = (control: ControlStore) => control.kill(order());

export const split = async (control: ControlStore, arms: readonly Arm[]): Promise<void> => {
  const granted = await control.grant({ ...order(), cycle: 'c' });
  const { epoch = -1, promotion = -1 } = granted.state ?? {};
  const moved = await control.shift({ ...order(), cycle: 'c', token: { epoch, promotion }, arms });
  if (moved.outcome !== 'done') throw new Error(`the test could not split the traffic: ${moved.because}`);
};

export interface TestGatewayDeps extends Partial<GatewayDeps> {
  readonly engine?: PlayedEngine;
  /** Path of the control store. */
  readonly store?: string;
}

export const createTestGateway = async ({
  engine = playedEngine(),
  store = ':memory:',
  ...over
}: TestGatewayDeps = {}) => {
  const control = sqliteControl(store);
  const queryLog: QueryLog = sqliteQueryLog(':memory:');
  const { lines, logger } = recorder();
  await registered(control);
  await control.setGold({ ...order(), variant: GOLD });
  await control.arm(order());
  const feedback = sqliteFeedback(':memory:');
  const services = [{ service: 'docs', engine, cpuHour: 1 }];
  const app = await createGateway({
    ...{ services, control, queryLog, logger, documents: new Map(), cache: noCache(), access: testAccess(), feedback },
    ...over,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  onTestFinished(async () => {
    await app.close();
    control.close();
    queryLog.close();
    feedback.close();
  });

  const url = `http://127.0.0.1:${port}`;
  const get = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(url + path, init);
    const text = await response.text();
    const json = response.headers.get('content-type')?.startsWith('application/json');
    return { status: response.status, headers: response.headers, text, body: json ? JSON.parse(text) : undefined };
  };
  /** Which variant answers this subject. */
  const variantFor = async (subject: string): Promise<string> => {
    const { body } = await get('/v1/search?q=hello', { headers: { 'x-pawl-subject': subject } });
    return body.variant;
  };
  return { app, port, url, control, queryLog, engine, lines, get, variantFor };
};
