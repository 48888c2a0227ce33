/**
 * The chapters of the story. Each does what a person would do, and says whether what should have come of it did: a step
 * that does not hold ends the story with an error.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { ApprovalRequest, CycleEnd, StageReport } from '../../contracts/messages.ts';
import type { Story } from './corpus.ts';
import { SERVICE, WINDOW_SECONDS } from './home.ts';
import type { Pawl } from './pawl-command.ts';
import type { Teller } from './tell.ts';
import type { Visitors, Wish } from './visitors.ts';

/** Whoever starts cycles by hand does not approve them. */
export const APPROVER = 'grace';

export interface Act {
  readonly pawl: Pawl;
  readonly teller: Teller;
  readonly visitors: Visitors;
  readonly gateway: string;
  /** Of a workflow in the Temporal Web UI. */
  link(workflowId: string): string;
}

export interface CycleStory {
  readonly cycle: string;
  readonly end: CycleEnd;
  readonly stages: readonly StageReport[];
  readonly seconds: number;
}

type Told = { readonly cycle: string } & (
  | ({ readonly event: 'stage' } & StageReport)
  | ({ readonly event: 'approval' } & ApprovalRequest)
  | ({ readonly event: 'end' } & CycleEnd)
);

/** The users' wishes of a period: the queries that are kept for live traffic, and the document that each looks for. */
export const wishesOf = ({ queries }: Story): Wish[] =>
  queries.filter(({ split }) => split === 'live').map(({ id, text }) => ({ text, document: id.slice('q-'.length) }));

export const command = async (act: Act, args: readonly string[]): Promise<unknown> => {
  act.teller.command(act.pawl.typed(args));
  return act.pawl.run(args);
};

/** Until every answer in the gates' window was asked for in the present period. */
export const letThemAsk = ({ teller, visitors }: Act, what: string) =>
  teller.working(what, async (detail) => {
    const from = Date.now();
    const until = from + (WINDOW_SECONDS + 1) * 1_000;
    while (Date.now() < until) {
      await pause(1_000);
      const { ndcg, requests } = visitors.since(from);
      detail(`${requests} questions, NDCG@10 ${ndcg.toFixed(3)}`);
    }
    return visitors.since(from);
  });

const started = z.object({ cycle: z.string() });
const listed = z.array(z.object({ cycle: z.string() }));

/** What a schedule does at its time, done now; gives the cycle that came of it. */
export const scheduledCycle = async (act: Act): Promise<string> => {
  const newest = async (): Promise<string | null> => {
    return listed.parse(await act.pawl.run(['cycle', 'ls']))[0]?.cycle ?? null;
  };
  const before = await newest();
  await command(act, ['schedule', 'trigger', 'look']);
  for (let tries = 0; tries < 100; tries++) {
    const now = await newest();
    if (now !== null && now !== before) return now;
    await pause(200);
  }
  throw new PawlError('Unhealthy', 'The schedule started no cycle.', { hint: '`pawl cycle ls` shows what ran.' });
};

export const cycleByHand = async (act: Act, reason: string): Promise<string> =>
  started.parse(await command(act, ['cycle', 'start', '--reason', reason])).cycle;

/** Follows a cycle to its end, approves what it asks for, and does what the reader is shown at a certain stage. */
export const follow = async (
  act: Act,
  cycle: string,
  at: Partial<Record<StageReport['stage'], () => Promise<void>>> = {},
): Promise<CycleStory> => {
  const { teller, pawl } = act;
  teller.link(cycle, act.link(cycleWorkflowId(SERVICE, cycle)));
  const from = Date.now();
  const stages: StageReport[] = [];
  const asides: Array<Promise<unknown>> = [];
  let end: CycleEnd | null = null;
  await pawl.run(['cycle', 'watch', cycle], (line) => {
    const told = line as Told;
    if (told.event === 'end') end = told;
    if (told.event === 'approval')
      asides.push(
        command(act, ['approve', cycle, '--as', APPROVER, '--yes', '--reason', 'the interval lies above zero']),
      );
    if (told.event !== 'stage') return;
    if (told.endedAt !== null) stages.push(told);
    else if (at[told.stage]) asides.push(at[told.stage]?.() ?? Promise.resolve());
    teller.stage(told);
  });
  await Promise.all(asides);
  if (end === null) throw new PawlError('Unhealthy', `${cycle} did not say how it ended.`);
  teller.end(cycle, end);
  return { cycle, end, stages, seconds: (Date.now() - from) / 1_000 };
};

export const hold = (held: boolean, what: string, found: unknown): void => {
  if (held) return;
  throw new PawlError('Unhealthy', `The story did not hold: expected ${what}, found ${JSON.stringify(found)}.`, {
    hint: 'The logs stand in .pawl/story/.pawl/logs; everything else can be seen in the Temporal Web UI.',
  });
};

const traffic = z.object({
  latch: z.string(),
  champion: z.string().nullable(),
  gold: z.string().nullable(),
  arms: z.array(z.object({ variant: z.string(), share: z.number() })),
});

export const trafficNow = async ({ gateway }: Act) => {
  const answer = await request(`${gateway}/v1/traffic`);
  return traffic.parse(await answer.body.json());
};

/** Kills the service and asks until an answer comes from gold; how long that took, and whether it stays so. */
export const killAndLook = async (act: Act, gold: string, wishes: readonly Wish[]): Promise<{ ms: number }> => {
  const wish = wishes[0];
  if (!wish) throw new PawlError('NoData', 'There is nothing to ask for.');
  const from = Date.now();
  const killed = command(act, ['kill', SERVICE, '--reason', 'a reader wants to see it']);
  let ms = 0;
  while (ms === 0) {
    const { variant } = await act.visitors.one(wish, 'the reader');
    if (variant === gold) ms = Date.now() - from;
    else await pause(10);
  }
  await killed;
  for (const [n, one] of wishes.slice(0, 50).entries()) {
    const { variant } = await act.visitors.one(one, `reader-${n}`);
    hold(variant === gold, 'every answer from gold after the kill', variant);
  }
  return { ms };
};

const evidence = z.object({ good: z.boolean(), folder: z.string(), files: z.array(z.unknown()) });
/** The folder that a cycle left, checked. */
export const evidenceOf = async (act: Act, cycle: string) =>
  evidence.parse(await command(act, ['evidence', 'show', cycle]));
