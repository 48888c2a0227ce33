/**
 * What the orchestration of a cycle costs: CPU time of a cycle whose stages do nothing, admitted by its guardian, against
 * a bare workflow that calls as many activities on the same kinds of queues. Nothing is switched off: search attributes,
 * details, promises, lane, ledger. The worker and the Temporal server are measured from outside, as processes.
 */
import { availableParallelism, cpus } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { guardianId } from '../contracts/ids.ts';
import { median, percentile } from '../domain/percentile.ts';
import { atMost, type Benchmark, explaining, type Figure } from './benchmark.ts';
import { type Counts, countsOf, eventsOf } from './orchestration/history.ts';
import { noOpPlan } from './orchestration/no-op.ts';
import { openScene, type Scene } from './orchestration/scene.ts';
import { BARE, type BareInput, type Side } from './orchestration/sides.ts';

const ROUNDS = 7;
const AT_ONCE = 10;
const SERVICES = Array.from({ length: AT_ONCE }, (_, n) => `bench-${n}`);
/** A guardian works on after its cycle has ended; both sides get the same time to come to rest. */
const REST_MS = 500;
const TARGET = 2;

/** CPU milliseconds of one run. */
interface Cost {
  readonly worker: number;
  readonly server: number;
}
const total = ({ worker, server }: Cost): number => worker + server;

export const orchestration: Benchmark = {
  about: 'CPU of a cycle of no-op stages against a bare workflow that calls as many activities',
  run: async (progress) => {
    const scene = await openScene(SERVICES);
    try {
      progress('warming up');
      await scene.cycles(SERVICES);
      await pause(REST_MS);
      const cycle = await countCycle(scene);
      const variants = variantsFor(cycle);
      const bare = countsOf(await eventsOf(scene.client, (await scene.bares(1, variants.bare))[0] ?? ''));
      await scene.bares(AT_ONCE, variants.bare);

      const cycles: Cost[] = [];
      const others: Record<string, Cost[]> = Object.fromEntries(Object.keys(variants).map((name) => [name, []]));
      for (let round = 1; round <= ROUNDS; round++) {
        progress(`round ${round} of ${ROUNDS}`);
        cycles.push(await cost(scene, 'pawl', () => scene.cycles(SERVICES)));
        for (const [name, input] of Object.entries(variants))
          others[name]?.push(await cost(scene, 'bare', () => scene.bares(AT_ONCE, input)));
      }
      // Charged as if to each of ten runs, so ten seconds are one of each.
      const idle = await cost(scene, 'pawl', () => pause(AT_ONCE * 1_000 - REST_MS));
      return {
        figures: [
          ...compared(cycles, others.bare ?? [], others['all on one queue'] ?? []),
          ...explained(cycles, others),
          explaining('idle for 1 s, worker', idle.worker, 'ms', 1),
          explaining('idle for 1 s, server', idle.server, 'ms', 1),
          ...counted('cycle and guardian', cycle),
          ...counted('bare workflow', bare),
        ],
        versions: {
          node: process.version,
          temporal: scene.serverVersion,
          machine: `${availableParallelism()} × ${cpus()[0]?.model ?? 'unknown'}`,
        },
      };
    } finally {
      await scene.close();
    }
  },
};

/** As many activities as the cycle, and the same with one part of the cycle more. */
const variantsFor = ({ activities, elsewhere, upserts, timers }: Counts) => {
  const bare: BareInput = { ...BARE, here: activities - elsewhere, elsewhere };
  return {
    bare,
    'all on one queue': { ...BARE, here: activities },
    'with the inputs of stages': { ...bare, payload: JSON.stringify(noOpPlan) },
    'with search attributes': { ...bare, upserts },
    'with details': { ...bare, details: 2 * upserts },
    'with timers': { ...bare, timers },
  } satisfies Record<string, BareInput>;
};

const cost = async ({ server, workers }: Scene, side: Side, work: () => Promise<unknown>): Promise<Cost> => {
  const look = async () => ({ worker: await workers[side].cpuMs(), server: await server.cpuMs() });
  const before = await look();
  await work();
  await pause(REST_MS);
  const after = await look();
  return { worker: (after.worker - before.worker) / AT_ONCE, server: (after.server - before.server) / AT_ONCE };
};

/** One more cycle of one service, with what its guardian did for it. */
const countCycle = async ({ client, cycles }: Scene): Promise<Counts> => {
  const [service = ''] = SERVICES;
  const before = (await eventsOf(client, guardianId(service))).length;
  const [workflowId = ''] = await cycles([service]);
  await pause(REST_MS);
  const guardian = (await eventsOf(client, guardianId(service))).slice(before);
  return countsOf([...(await eventsOf(client, workflowId)), ...guardian]);
};

const compared = (cycles: readonly Cost[], bares: readonly Cost[], onOneQueue: readonly Cost[]): Figure[] => {
  const ratios = (of: (cost: Cost) => number, peers = bares) =>
    cycles.map((cycle, round) => of(cycle) / of(peers[round] ?? cycle));
  const both = ratios(total);
  return [
    atMost(TARGET, explaining('cycle / bare, worker and server', median(both), '×', both.length)),
    explaining('  lowest round', percentile(both, 0), '×', both.length),
    explaining('  highest round', percentile(both, 1), '×', both.length),
    explaining('cycle / bare on one queue, both', median(ratios(total, onOneQueue)), '×', both.length),
    explaining('cycle / bare, worker alone', median(ratios(({ worker }) => worker)), '×', both.length),
    explaining('cycle / bare, server alone', median(ratios(({ server }) => server)), '×', both.length),
  ];
};

const explained = (cycles: readonly Cost[], others: Readonly<Record<string, readonly Cost[]>>): Figure[] =>
  Object.entries({ cycle: cycles, ...others }).flatMap(([name, costs]) => [
    explaining(`${name}, worker`, median(costs.map(({ worker }) => worker)), 'ms', costs.length),
    explaining(`${name}, server`, median(costs.map(({ server }) => server)), 'ms', costs.length),
  ]);

const counted = (what: string, counts: Counts): Figure[] =>
  Object.entries(counts).map(([name, value]) => explaining(`${what}, ${name}`, value, 'per run', 1));
