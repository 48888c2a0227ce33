/** An experiment on a real gateway: a clock that the test sets, a lane that is granted once, and a log with its feedback. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { Arm } from '../../contracts/traffic.ts';
import { CHALLENGER, CHAMPION, createTestGateway, GOLD, playedEngine } from './gateway.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const EXPERIMENT = '0.1';
export const hashOf = (subject: string): string => `hash of ${subject}`;

/** Where a subject stands on the line, worked out apart from the gateway. */
export const placeOf = (subject: string): number => {
  const digest = createHash('sha256').update(`docs\n${EXPERIMENT}\n${subject}`).digest('hex');
  return Number.parseInt(digest.slice(0, 12), 16) / 16 ** 12;
};

/** Documents by variant and query, best first; null where the variant fails at it. */
export type Played = (variant: string, query: string) => readonly string[] | null;

export const runExperiment = async (played: Played) => {
  const clock = { now: 1_000_000 };
  const path = join(temporaryFolder(), 'metrics.db');
  const [queryLog, feedback, engine] = [sqliteQueryLog(path), sqliteFeedback(path), playedEngine()];
  for (const [at, variant] of [CHAMPION, CHALLENGER, GOLD].entries()) {
    engine.plays.set(variant, async ({ query, k }) => {
      const ids = played(variant, query);
      if (!ids) throw new Error(`${variant} cannot answer ${query}`);
      return { hits: ids.slice(0, k).map((id, n) => ({ id, score: k - n, title: '' })), cpuMs: 3_600 * (at + 1) };
    });
  }
  const gateway = await createTestGateway({ engine, queryLog, feedback, now: () => clock.now, subjectHash: hashOf });
  onTestFinished(() => {
    queryLog.close();
    feedback.close();
  });
  const { control, get, app } = gateway;
  const actor = { kind: 'cycle', name: 'c' };
  const order = { service: 'docs', actor, reason: 'a test', cycle: 'c' };
  const granted = await control.grant({ ...order, key: 'grant' });
  const { epoch = -1, promotion = -1 } = granted.state ?? {};
  let shifts = 0;
  const giveArms = async (arms: readonly Arm[]): Promise<void> => {
    const key = `shift ${++shifts}`;
    const moved = await control.shift({ ...order, key, token: { epoch, promotion }, arms });
    if (moved.outcome !== 'done') throw new Error(`the test could not move traffic: ${moved.because}`);
    await vi.waitFor(
      async () => {
        const { body } = await get('/status');
        const missing = arms.filter(({ variant }) => !body.services[0].loaded.includes(variant));
        if (missing.length > 0) throw new Error('not loaded yet');
      },
      { timeout: 30_000 },
    );
  };
  return {
    ...gateway,
    ...{ clock, feedback, queryLog, giveArms },
    give: (share: number) =>
      giveArms([
        { variant: CHAMPION, share: 1 - share },
        { variant: CHALLENGER, share },
      ]),
    /** The answer's body; an error's where it failed. */
    ask: async (query: string, subject?: string, headers: Record<string, string> = {}) => {
      const who = subject === undefined ? {} : { 'x-pawl-subject': subject };
      return (await get(`/v1/search?q=${encodeURIComponent(query)}`, { headers: { ...who, ...headers } })).body;
    },
    /** All rows are in the log afterwards, and nobody is answered any more. */
    close: () => app.close(),
    tell: (at: number, answer: string, document: string) =>
      feedback.add({
        ...{ at, tenant: 'default', by: null, mayJudge: false },
        events: [{ kind: 'click', answer, document, position: 1 }],
      }),
  };
};

export type Experiment = Awaited<ReturnType<typeof runExperiment>>;
