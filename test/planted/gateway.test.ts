/** Bugs in the gateway: what answers must have a share at that moment. */
import { join } from 'node:path';
import type { Code } from './copies.ts';
import { describePlants, type Plant } from './plant.ts';
import { SERVICE, StoreScene } from './store-scene.ts';

const quiet = () => undefined;

/** Half of the visitors get the challenger; then the service is killed, and the same visitors ask again. */
const visited = async (code: Code): Promise<readonly string[]> => {
  const [{ createServedService }, { createMetrics }, { sqliteQueryLog }] = await Promise.all([
    code.load<typeof import('../../gateway/served-service.ts')>('gateway/served-service.ts'),
    code.load<typeof import('../../gateway/metrics.ts')>('gateway/metrics.ts'),
    code.load<typeof import('../../adapters/query-log/sqlite.ts')>('adapters/query-log/sqlite.ts'),
  ]);
  const scene = await StoreScene.open(code);
  const log = sqliteQueryLog(join(scene.home, '.pawl', 'metrics.db'));
  const rows: Parameters<typeof log.append>[0][number][] = [];
  const engine = {
    load: async () => ({
      search: async () => ({ hits: [], cpuMs: 0 }),
      state: () => '',
      release: async () => undefined,
    }),
    index: () => ({ state: 'ready', because: null, corpus: null, documents: 0 }) as const,
    renew: async () => undefined,
    close: async () => undefined,
  };
  const gateway = createServedService(
    { service: SERVICE, engine, cpuHour: 0 },
    {
      control: scene.control,
      metrics: createMetrics(() => ({ hits: 0, misses: 0, troubles: 0 })),
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      now: () => scene.at,
      served: (row) => rows.push(row),
      search: async (_service, _id, variant, question) => ({ ...(await variant.search(question)), cached: false }),
    },
  );
  const visit = async () => {
    scene.at += 60_000;
    const asked = { query: 'q', k: 1, tenant: 'default', filter: {}, elapsedMs: () => 1 };
    for (let n = 0; n < 20; n++) await gateway.ask({ ...asked, subject: `visitor ${n}` });
  };

  await scene.shift('deploy', await scene.grant());
  await visit();
  await scene.control.kill(scene.order());
  await visit();
  await scene.ended('killed');
  await log.append(rows);
  log.close();
  const found = scene.broken();
  scene.end();
  return found;
};

const plants: readonly Plant[] = [
  {
    bug: 'a gateway that remembers what serves instead of reading it',
    edits: [
      {
        file: 'gateway/served-service.ts',
        from: 'const row = (await control.state(service)) ?? last;',
        to: 'const row = last ?? (await control.state(service));',
      },
    ],
    run: visited,
    foundBy: 'a request is answered by a variant that had a share',
  },
  {
    bug: 'a gateway that puts whatever is loaded in the place of what is wanted',
    edits: [
      {
        file: 'gateway/shelf.ts',
        from: 'const named = new Set([...state.arms.map(({ variant }) => variant), ...inReserve(state)]);\n    for (const id of [...places.keys()]) if (!named.has(id)) drop(id);',
        to: 'const named = new Set([...state.arms.map(({ variant }) => variant), ...inReserve(state)]);',
      },
      {
        file: 'gateway/shelf.ts',
        from: 'for (const id of orderOf(wanted, state)) {\n        const place = places.get(id);\n        if (place?.state === ',
        to: 'for (const id of [...places.keys()].reverse()) {\n        const place = places.get(id);\n        if (place?.state === ',
      },
    ],
    run: visited,
    foundBy: 'a request is answered by a variant that had a share',
  },
];

describePlants('in the gateway,', plants);
