/** Erasing from a log that several homes share. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { postgresFeedback } from '../../adapters/feedback/postgres.ts';
import type { Wanted } from '../../adapters/keeping/asked.ts';
import { askedInPostgres } from '../../adapters/keeping/asked-postgres.ts';
import { erase } from '../../adapters/keeping/erase.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { postgresQueryLog } from '../../adapters/query-log/postgres.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { keptHome, SERVICE } from './home.ts';

const SECRET = 'where does Jane Doe keep her passport';
const row = (query: string, answer: string, subject: string): ServedQuery => ({
  ...{ at: 1_000, service: SERVICE, variant: 'v1', query, ranked: ['d'], latencyMs: 1, error: null, cost: 0 },
  ...{ answer, subject, experiment: 'e', phase: 0.5 },
});
const window = { service: SERVICE, from: 0, to: 1e6 };

describe.skipIf(postgresPrograms === null)('in a shared log', () => {
  const server = postgresServer();

  const asked = async () => {
    const address = server.address();
    const home = await keptHome();
    const [log, feedback] = [postgresQueryLog(address), postgresFeedback(address)];
    onTestFinished(() => {
      feedback.close();
      log.close();
    });
    const run = (wanted: Wanted, dryRun = false) =>
      erase(
        { ...home, ownFiles: [], openLog: () => askedInPostgres(address) },
        { wanted, reason: 'request 12', actor: { kind: 'person', name: 'ada' }, dryRun },
      );
    const left = async () => (await log.read(window)).map(({ query }) => query);
    return { log, feedback, run, left, schema: new URL(address).searchParams.get('schema') };
  };
  const told = { at: 2_000, tenant: 'default', by: null, mayJudge: true };
  const judged = (query: string) => ({ kind: 'judgement', service: SERVICE, query, document: 'd', grade: 1 }) as const;

  test('what a subject asked and judged is gone with what was told about it and whom it exposed; that of others stays', async () => {
    const { log, feedback, run, left } = await asked();
    await log.append([row(SECRET, 'a', 'jane'), row('other', 'b', 'joe')]);
    const click = { kind: 'click', document: 'd', position: 1 } as const;
    await feedback.add({ ...told, subject: 'jane', events: [{ ...click, answer: 'a' }, judged(SECRET)] });
    await feedback.add({ ...told, subject: 'joe', events: [{ ...click, answer: 'b' }, judged('other')] });
    expect(await run({ by: 'subject', hash: 'jane' })).toMatchObject({ rows: 2, texts: [] });
    expect(await left()).toEqual(['other']);
    expect((await feedback.received(window)).map(({ answer }) => answer)).toEqual(['b']);
    expect((await feedback.judgements(window)).map(({ query }) => query)).toEqual(['other']);
    const arms = { service: SERVICE, experiment: 'e', variants: ['v1', 'v2'] } as const;
    const exposed = await log.exposures({ ...arms, after: { at: 0, subject: '' }, to: 1e6, limit: 9 });
    expect(exposed.map(({ subject }) => subject)).toEqual(['joe']);
  });

  test('no byte of the text is left in a table of the server', async () => {
    const { log, run, schema } = await asked();
    const [{ folder }] = (await server.query(`SELECT current_setting('data_directory') AS folder`)) as [
      { folder: string },
    ];
    const filesWith = async () => {
      await server.query('CHECKPOINT');
      return execFileSync('sh', ['-c', `grep -rl 'Jane Doe' '${join(folder, 'base')}' || true`], { encoding: 'utf8' });
    };
    await log.append(Array.from({ length: 50 }, (_, n) => row(n % 2 ? `other ${n}` : SECRET, `${n}`, `s${n}`)));
    await server.query(`ANALYZE ${schema}.queries`); // What the planner samples is in a table too.
    expect(await filesWith()).not.toBe('');
    await run({ by: 'query text', text: SECRET.toUpperCase() });
    expect(await filesWith()).toBe('');
  });

  test('a part of a text finds every row that holds it, however many there are; a look changes nothing', async () => {
    const { log, run, left } = await asked();
    await log.append(Array.from({ length: 5_500 }, (_, n) => row(n % 100 === 0 ? SECRET : 'other', `${n}`, `s${n}`)));
    expect(await run({ by: 'match', text: 'jane doe' }, true)).toMatchObject({ rows: 55, texts: [SECRET] });
    expect(await left()).toHaveLength(5_500);
    expect(await run({ by: 'match', text: 'jane doe' })).toMatchObject({ rows: 55 });
    expect(new Set(await left())).toEqual(new Set(['other']));
  });
});
