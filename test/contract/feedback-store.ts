/** What every FeedbackStore is held to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FeedbackStore, ToldFeedback } from '../../adapters/feedback/port.ts';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';
import { type FeedbackEvent, FEEDBACK_LATE_MS as LATE } from '../../contracts/feedback.ts';

export const servedAnswer = (answer: string, over: Partial<ServedQuery> = {}): ServedQuery => ({
  ...{ at: 1_000, service: 'docs', variant: 'v1', query: 'how?', ranked: ['a', 'b', 'c'] },
  ...{ latencyMs: 1, error: null, cost: 0, answer, ...over },
});
export const impression = (answer: string): FeedbackEvent => ({
  kind: 'impression',
  answer,
  shown: [
    { document: 'b', position: 2 },
    { document: 'a', position: 1 },
  ],
});
export const click = (answer: string, over: object = {}): FeedbackEvent => ({
  ...{ kind: 'click', answer, document: 'a', position: 1, ...over },
});
const judgement = (over: object = {}): FeedbackEvent => ({
  ...{ kind: 'judgement', service: 'docs', query: 'how?', document: 'a', grade: 2, ...over },
});

export const describeFeedbackStore = (name: string, make: () => { feedback: FeedbackStore; log: QueryLog }): void => {
  describe(`feedback: ${name}`, () => {
    let feedback: FeedbackStore;
    let log: QueryLog;
    beforeEach(async () => {
      ({ feedback, log } = make());
      await log.append([servedAnswer('one'), servedAnswer('two', { at: 2_000, query: 'why?', variant: 'v2' })]);
    });
    afterEach(() => {
      feedback.close();
      log.close();
    });

    const tell = (events: readonly FeedbackEvent[], over: Partial<ToldFeedback> = {}) =>
      feedback.add({ at: 3_000, tenant: 'default', by: null, mayJudge: true, events, ...over });
    const outcomes = async (events: readonly FeedbackEvent[], over: Partial<ToldFeedback> = {}) =>
      (await tell(events, over)).map((one) => (one.outcome === 'refused' ? one.reason : one.outcome));
    const window = { service: 'docs', from: 0, to: 10_000 };

    test('what was told comes back joined to the answer and to the variant that served it', async () => {
      await log.append([
        servedAnswer('three', { at: 2_500, experiment: 'e1', tenant: 'default', teams: { v1: ['a'], v2: ['b'] } }),
      ]);
      const rating: FeedbackEvent = { kind: 'rating', answer: 'one', scale: 'stars', value: 4 };
      expect(await outcomes([impression('one'), click('one', { dwellMs: 40 }), rating, click('three')])).toEqual(
        Array(4).fill('accepted'),
      );
      const common = { tenant: 'default', service: 'docs', variant: 'v1', query: 'how?', ranked: ['a', 'b', 'c'] };
      expect(await feedback.received(window)).toEqual([
        {
          ...{ ...common, answer: 'one', at: 1_000, experiment: null, teams: null },
          shown: [
            { document: 'a', position: 1 },
            { document: 'b', position: 2 },
          ],
          clicks: [{ document: 'a', position: 1, dwellMs: 40 }],
          rating: 0.5,
        },
        {
          ...{ ...common, answer: 'three', at: 2_500, experiment: 'e1', teams: { v1: ['a'], v2: ['b'] } },
          ...{ shown: null, clicks: [{ document: 'a', position: 1, dwellMs: null }], rating: null },
        },
      ]);
    });

    test('an event that comes again changes nothing, under its own key or under the one made of what it says', async () => {
      const keyed = click('one', { key: 'mine' });
      expect(await outcomes([click('one'), click('one'), keyed])).toEqual(['accepted', 'repeated', 'accepted']);
      expect(await outcomes([keyed, click('one'), impression('one')])).toEqual(['repeated', 'repeated', 'accepted']);
      const [answer] = await feedback.received(window);
      expect(answer?.clicks).toHaveLength(1);
    });

    test('a repetition is answered as one for as long as the answer is known, however late it comes', async () => {
      await tell([click('one')]);
      expect(await outcomes([click('one')], { at: 1_001 + LATE })).toEqual(['repeated']);
    });

    test('a key that was used for another event is refused, and the first event stands', async () => {
      const down: FeedbackEvent = { kind: 'rating', answer: 'one', scale: 'thumbs', value: -1, key: 'k' };
      expect(await outcomes([down, { ...down, value: 1 }])).toEqual(['accepted', 'key was used']);
      expect(await outcomes([judgement({ key: 'j' }), judgement({ key: 'j', grade: 0 })])).toEqual([
        'accepted',
        'key was used',
      ]);
      expect((await feedback.received(window))[0]?.rating).toBe(-1);
    });

    test("keys of different tenants are apart: nobody can take another's", async () => {
      await log.append([servedAnswer('theirs', { tenant: 'acme' })]);
      await tell([click('one', { key: 'k' })]);
      expect(await outcomes([click('theirs', { key: 'k' })], { tenant: 'acme' })).toEqual(['accepted']);
    });

    test("an unknown answer is refused, and another tenant's cannot be told from one", async () => {
      await log.append([servedAnswer('theirs', { tenant: 'acme' })]);
      expect(await outcomes([click('none'), click('theirs')])).toEqual(['unknown answer', 'unknown answer']);
      expect(await outcomes([click('one')], { tenant: 'acme' })).toEqual(['unknown answer']);
      expect(await outcomes([click('theirs', { document: 'z' })])).toEqual(['unknown answer']);
      expect(await feedback.received(window)).toEqual([]);
    });

    test('an event is taken for 24 hours, and not a moment longer', async () => {
      expect(await outcomes([click('one')], { at: 1_000 + LATE })).toEqual(['accepted']);
      expect(await outcomes([impression('one')], { at: 1_001 + LATE })).toEqual(['too late']);
    });

    test('a document that was not served is refused; what stood below the ten that the log keeps is taken', async () => {
      const ranked = [...'abcdefghij'];
      await log.append([servedAnswer('long', { ranked })]);
      const at = (answer: string, position: number) => click(answer, { document: 'z', position });
      expect(await outcomes([at('one', 1), at('one', 11), at('long', 10), at('long', 11)])).toEqual([
        'not served',
        'not served',
        'not served',
        'accepted',
      ]);
    });

    test('what is refused does not keep its neighbours from being taken', async () => {
      expect(await outcomes([click('none'), click('one'), click('none')])).toEqual([
        'unknown answer',
        'accepted',
        'unknown answer',
      ]);
      expect(await feedback.received(window)).toHaveLength(1);
    });

    test('a click that is told again when its look is over keeps one place, and the longest look', async () => {
      await tell([click('one'), click('one', { dwellMs: 900 }), click('one', { dwellMs: 20 })]);
      expect((await feedback.received(window))[0]?.clicks).toEqual([{ document: 'a', position: 1, dwellMs: 900 }]);
    });

    test('a window, a variant, a tenant and a limit choose among the answers; the newest stay', async () => {
      await log.append([
        servedAnswer('theirs', { at: 2_500, tenant: 'acme' }),
        servedAnswer('other', { service: 's' }),
      ]);
      await tell([click('one'), click('two'), click('other')]);
      await tell([click('theirs')], { tenant: 'acme' });
      const ids = async (over: object) => (await feedback.received({ ...window, ...over })).map(({ answer }) => answer);
      expect(await ids({})).toEqual(['one', 'two', 'theirs']);
      expect(await ids({ from: 1_000, to: 2_000 })).toEqual(['one']);
      expect(await ids({ variant: 'v2' })).toEqual(['two']);
      expect(await ids({ tenant: 'default' })).toEqual(['one', 'two']);
      expect(await ids({ limit: 2 })).toEqual(['two', 'theirs']);
    });

    test('what was told about an answer goes with it; a judgement stays', async () => {
      await tell([click('one'), click('two'), judgement()]);
      expect(await log.prune(2_000)).toBe(1);
      expect((await feedback.received(window)).map(({ answer }) => answer)).toEqual(['two']);
      expect(await outcomes([click('one')])).toEqual(['unknown answer']);
      expect(await feedback.judgements(window)).toHaveLength(1);
    });

    test('of one giver the latest judgement counts; different givers are heard apart', async () => {
      await tell([judgement({ key: '1' }), judgement({ key: '2', grade: 0 }), judgement({ document: 'b' })]);
      await tell([judgement()], { by: 'key-1' });
      const grades = (await feedback.judgements(window)).map(({ by, document, grade }) => [by, document, grade]);
      expect(grades).toEqual([
        [null, 'a', 0],
        [null, 'b', 2],
        ['key-1', 'a', 2],
      ]);
      expect(await feedback.judgements({ ...window, tenant: 'acme' })).toEqual([]);
      expect(await feedback.judgements({ ...window, limit: 1 })).toMatchObject([{ by: 'key-1' }]);
    });

    test('many that tell at once each get the outcomes of their own events', async () => {
      const answers = Array.from({ length: 200 }, (_, n) => `answer-${n}`);
      await log.append(answers.map((answer) => servedAnswer(answer)));
      const all = await Promise.all(
        answers.map((answer, n) => outcomes(n % 2 === 0 ? [click(answer), click('none')] : [impression(answer)])),
      );
      expect(all.slice(0, 2)).toEqual([['accepted', 'unknown answer'], ['accepted']]);
      expect(new Set(all.map(String)).size).toBe(2);
      expect(await feedback.received({ ...window, limit: 1_000 })).toHaveLength(200);
    });
  });
};
