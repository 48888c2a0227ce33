import { join } from 'node:path';
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { expect, onTestFinished, test } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { FeedbackEvent } from '../../contracts/feedback.ts';
import { sendError } from '../../gateway/error-answer.ts';
import { type FeedbackDeps, feedbackRoutes } from '../../gateway/feedback-routes.ts';
import { click, impression, servedAnswer } from '../contract/feedback-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const feedbackGateway = async (over: Partial<FeedbackDeps> = {}) => {
  const path = join(temporaryFolder(), 'metrics.db');
  const [log, feedback] = [sqliteQueryLog(path), sqliteFeedback(path)];
  await log.append([servedAnswer('one'), servedAnswer('theirs', { tenant: 'acme' })]);
  const app = Fastify();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler((error, request, reply) => sendError(reply, error, request.id));
  const deps: FeedbackDeps = {
    ...{ feedback, services: ['docs'], now: () => 2_000, settle: async () => undefined },
    caller: ({ headers }) => ({ key: 'key-1', tenant: String(headers['x-tenant'] ?? 'default'), role: 'reader' }),
    ...over,
  };
  await app.register(feedbackRoutes(deps));
  onTestFinished(async () => {
    await app.close();
    feedback.close();
    log.close();
  });
  const post = async (payload: object, headers: Record<string, string> = {}) => {
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/v1/feedback', payload, headers });
    return { status: statusCode, body: JSON.parse(body) };
  };
  return { app, log, feedback, post };
};
const window = { service: 'docs', from: 0, to: 10_000 };
const judgement: FeedbackEvent = { kind: 'judgement', query: 'how?', document: 'a', grade: 3 };

test('one event is taken, and is on disk when it is acknowledged', async () => {
  const { post, feedback } = await feedbackGateway();
  const { status, body } = await post(click('one', { key: 'k1' }));
  expect({ status, body }).toEqual({
    status: 200,
    body: { accepted: 1, repeated: 0, refused: 0, outcomes: [{ outcome: 'accepted', key: 'k1' }] },
  });
  expect((await feedback.received(window))[0]?.clicks).toHaveLength(1);
});

test('of a batch each event gets its own outcome, and a refused one says why', async () => {
  const { post } = await feedbackGateway();
  const { body } = await post({ events: [impression('one'), click('one'), click('one'), click('theirs')] });
  expect(body).toMatchObject({ accepted: 2, repeated: 1, refused: 1 });
  expect(body.outcomes[3]).toEqual({
    ...{ outcome: 'refused', key: expect.any(String), reason: 'unknown answer' },
    hint: expect.stringContaining('No answer of this id'),
  });
  expect((await post(click('theirs'), { 'x-tenant': 'acme' })).body).toMatchObject({ accepted: 1 });
});

test('an event about an answer that still waits to be logged is taken', async () => {
  const { post, log, feedback } = await feedbackGateway({ settle: () => log.append([servedAnswer('fresh')]) });
  const { body } = await post({ events: [click('one'), click('fresh'), click('none')] });
  expect(body.outcomes.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['accepted', 'accepted', 'refused']);
  expect(await feedback.received(window)).toHaveLength(2);
});

test('a judgement is of the only service, of the one that it names, or of none', async () => {
  const one = await feedbackGateway();
  expect((await one.post(judgement)).body).toMatchObject({ accepted: 1 });
  expect((await one.post({ ...judgement, service: 'nope' })).body.outcomes).toMatchObject([
    { reason: 'unknown service' },
  ]);
  const several = await feedbackGateway({ services: ['docs', 'shop'] });
  expect((await several.post(judgement)).body).toMatchObject({ refused: 1 });
  expect((await several.post({ ...judgement, service: 'shop' })).body).toMatchObject({ accepted: 1 });
  expect(await several.feedback.judgements({ ...window, service: 'shop' })).toMatchObject([{ by: 'key-1', grade: 3 }]);
});

test('a caller who may not judge is told so, and what they tell of their answers is taken', async () => {
  const { post, feedback } = await feedbackGateway({ mayJudge: async () => false });
  const { body } = await post({ events: [judgement, click('one')] });
  expect(body.outcomes).toMatchObject([{ reason: 'may not judge' }, { outcome: 'accepted' }]);
  expect(await feedback.judgements(window)).toEqual([]);
});

test('a store that cannot write acknowledges nothing', async () => {
  const { post, feedback } = await feedbackGateway();
  feedback.close();
  const { status, body } = await post(click('one'));
  expect(status).toBeGreaterThanOrEqual(500);
  expect(body).not.toHaveProperty('outcomes');
});

test.each<[string, object]>([
  ['no event', {}],
  ['an unknown kind', { kind: 'hover', answer: 'one' }],
  ['no events at all', { events: [] }],
  ['too many', { events: Array(101).fill(click('one')) }],
  ['a batch in a batch', { events: [{ events: [click('one')] }] }],
  ['an unknown field', { ...click('one'), at: 1 }],
  ['an answer that is too long', click('x'.repeat(65))],
  ['a document that is too long', click('one', { document: 'x'.repeat(513) })],
  ['a document with a control character', click('one', { document: 'a\u0000b' })],
  ['half a surrogate', click('one', { document: '\ud800' })],
  ['place 0', click('one', { position: 0 })],
  ['half a place', click('one', { position: 1.5 })],
  ['a look of more than a day', click('one', { dwellMs: 86_400_001 })],
  ['a key with spaces', click('one', { key: 'a b' })],
  ['nothing on the page', { ...impression('one'), shown: [] }],
  [
    'a document on two places',
    {
      ...impression('one'),
      shown: [
        { document: 'a', position: 1 },
        { document: 'a', position: 2 },
      ],
    },
  ],
  ['six stars', { kind: 'rating', answer: 'one', scale: 'stars', value: 6 }],
  ['thumbs down twice', { kind: 'rating', answer: 'one', scale: 'thumbs', value: -2 }],
  ['a rating without a scale', { kind: 'rating', answer: 'one', value: 1 }],
  ['half a grade', { ...judgement, grade: 1.5 }],
  ['a grade beyond 4', { ...judgement, grade: 5 }],
])('what makes no sense is refused as a whole, in the one shape of errors: %s', async (_, payload) => {
  const { post, feedback } = await feedbackGateway();
  expect(await post(payload)).toEqual({
    status: 400,
    body: { error: { type: 'Usage', message: expect.any(String), hint: expect.any(String) } },
  });
  expect(await feedback.received(window)).toEqual([]);
});

test('a body that is too large is refused before it is read', async () => {
  const { post } = await feedbackGateway();
  expect((await post({ events: [], pad: 'x'.repeat(300_000) })).status).toBe(413);
});
