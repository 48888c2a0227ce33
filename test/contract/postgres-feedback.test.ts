import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { postgresFeedback } from '../../adapters/feedback/postgres.ts';
import { postgresQueryLog } from '../../adapters/query-log/postgres.ts';
import { postgresPrograms, postgresServer } from '../support/postgres.ts';
import { click, describeFeedbackStore, servedAnswer } from './feedback-store.ts';

const told = { at: 2_000, tenant: 'default', by: null, mayJudge: true };
const window = { service: 'docs', from: 0, to: 10_000 };

describe.skipIf(postgresPrograms === null)('on PostgreSQL', () => {
  const server = postgresServer({ synchronous_commit: 'off' });
  const opened = (address = server.address()) => ({
    log: postgresQueryLog(address),
    feedback: postgresFeedback(address),
    other: postgresFeedback(address),
    schema: new URL(address).searchParams.get('schema') ?? '',
  });
  const closing = () => {
    const stores = opened();
    onTestFinished(() => {
      for (const store of [stores.log, stores.feedback, stores.other]) store.close();
    });
    return stores;
  };
  describeFeedbackStore('PostgreSQL', () => opened());

  test('an event that reaches two gateways at once is taken by one and repeated by the other, and answers of one are told of at the other', async () => {
    const { log, feedback, other } = closing();
    const answers = Array.from({ length: 50 }, (_, n) => `a${n}`);
    await log.append(answers.map((answer) => servedAnswer(answer)));
    const both = await Promise.all(
      answers.flatMap((answer) =>
        [feedback, other].map(async (store) => (await store.add({ ...told, events: [click(answer)] }))[0]?.outcome),
      ),
    );
    for (const at of answers.keys()) expect(both.slice(2 * at, 2 * at + 2).sort()).toEqual(['accepted', 'repeated']);
    expect(await other.received(window)).toHaveLength(50);
  });

  test('of one event at two gateways the second sees what the first has written, though both began before', async () => {
    const { log, feedback, other, schema } = closing();
    await log.append([servedAnswer('one')]);
    const outcomes = await server.session(async (client) => {
      await client.query(`BEGIN; LOCK TABLE ${schema}.feedback IN SHARE MODE`);
      const adding = [feedback, other].map((store) => store.add({ ...told, events: [click('one')] }));
      await server.waiting(2);
      await client.query('COMMIT');
      return Promise.all(adding);
    });
    expect(outcomes.map(([one]) => one?.outcome).sort()).toEqual(['accepted', 'repeated']);
  });

  test('what is told of an answer that is just being forgotten is about an unknown one', async () => {
    const { log, feedback, schema } = closing();
    await log.append([servedAnswer('one')]);
    const outcomes = await server.session(async (client) => {
      await client.query(`BEGIN; DELETE FROM ${schema}.queries`);
      const adding = feedback.add({ ...told, events: [click('one')] });
      await server.waiting(1);
      await client.query('COMMIT');
      return adding;
    });
    expect(outcomes).toMatchObject([{ outcome: 'refused', reason: 'unknown answer' }]);
  });

  test('while another holds the turn nothing is acknowledged, and the same events are taken afterwards', async () => {
    const { log, feedback, schema } = closing();
    await log.append([servedAnswer('one')]);
    await feedback.received(window);
    await server.session(async (client) => {
      await client.query(`BEGIN; LOCK TABLE ${schema}.feedback_turn IN EXCLUSIVE MODE`);
      await expect(feedback.add({ ...told, events: [click('one')] })).rejects.toMatchObject({ type: 'StoreBusy' });
    });
    expect(await feedback.add({ ...told, events: [click('one')] })).toMatchObject([{ outcome: 'accepted' }]);
  });

  test('what was acknowledged is there after the server died, and what was not can be told again', async () => {
    const { log, feedback } = closing();
    await log.append([servedAnswer('one')]);
    expect(await feedback.add({ ...told, events: [click('one')] })).toMatchObject([{ outcome: 'accepted' }]);
    await server.kill();
    const lost = { ...told, events: [click('one', { dwellMs: 5 })] };
    await expect(feedback.add(lost)).rejects.toMatchObject({ type: 'Unavailable', hint: expect.any(String) });
    await server.start();
    const again = await vi.waitFor(() => feedback.add(lost), 10_000);
    expect(again).toMatchObject([{ outcome: 'accepted' }]);
    expect((await feedback.received(window))[0]?.clicks).toEqual([{ document: 'a', position: 1, dwellMs: 5 }]);
  });

  test('what waits for its turn when the store is closed is written before', async () => {
    const { log, feedback, other } = closing();
    await log.append([servedAnswer('one')]);
    await feedback.received(window);
    const adding = feedback.add({ ...told, events: [click('one')] });
    await Promise.resolve();
    feedback.close();
    expect(await adding).toMatchObject([{ outcome: 'accepted' }]);
    expect(await other.received(window)).toHaveLength(1);
  });

  test('keys and texts that no database likes are told once, and come back as they were', async () => {
    const { log, feedback } = closing();
    await log.append([servedAnswer('one', { ranked: ['a\0', '\uF8F0'] })]);
    const events = [click('one', { document: 'a\0', key: 'k\0' }), click('one', { document: '\uF8F0', position: 2 })];
    const outcomes = async () => (await feedback.add({ ...told, events })).map(({ outcome }) => outcome);
    expect(await outcomes()).toEqual(['accepted', 'accepted']);
    expect(await outcomes()).toEqual(['repeated', 'repeated']);
    expect((await feedback.received(window))[0]?.clicks.map(({ document }) => document)).toEqual(['a\0', '\uF8F0']);
    const half = [click('one', { document: 'a\0', key: '\ud800' })];
    await feedback.add({ ...told, events: half });
    expect(await feedback.add({ ...told, events: half })).toMatchObject([{ outcome: 'repeated' }]);
  });
});
