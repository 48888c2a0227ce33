/** Who tries to lift the score of an answer of their own: in the answer, by clicks, or by telling of it. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createAbActivities } from '../../activities/ab.ts';
import type { FeedbackStore } from '../../adapters/feedback/port.ts';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { AbLook, AbPlan, AbSums } from '../../contracts/ab.ts';
import type { Click, FeedbackEvent } from '../../contracts/feedback.ts';
import { decideAb } from '../../domain/ab/decision.ts';
import { MOST_ANSWERS } from '../../domain/ab/subject-values.ts';
import { EXPERIMENT, placeOf, runExperiment } from '../support/experiment.ts';
import { CHALLENGER, CHAMPION } from '../support/gateway.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const [MINUTE, DAY] = [60_000, 86_400_000];
const SINCE = 10 * DAY;
const look: AbLook = {
  ...{ service: 'docs', experiment: EXPERIMENT, champion: CHAMPION, challenger: CHALLENGER },
  ...{ metrics: ['ndcg', 'click-share'], windowMs: DAY, beforeMs: 0, since: SINCE, now: SINCE + 3 * DAY, sums: null },
};
const JUDGED = [{ id: '1', text: 'how to read', judgements: { guide: 3, notes: 1 } }];

interface Stores {
  readonly queryLog: QueryLog;
  readonly feedback: FeedbackStore;
}
const lookAt = ({ queryLog, feedback }: Stores, over: Partial<AbLook> = {}): Promise<AbSums> =>
  createAbActivities({
    ...{ queryLog, feedback, judged: async () => JUDGED, now: () => look.now, control: { ledger: async () => [] } },
    artifacts: { putJson: async () => ({ uri: '', sha256: '' }) },
  }).lookAtArms({ ...look, ...over });

const plan: AbPlan = {
  ...{ ramp: [0.5], phaseMs: DAY, lookMs: DAY, windowMs: DAY, beforeMs: 0, minimumMs: 0, maximumMs: 28 * DAY },
  ...{ wholeWeek: false, metric: 'click-share', gain: 0.03, guardrails: [], method: 'confidence sequence' },
  ...{ alpha: 0.05, harmAlpha: 0.005, planned: 800, fewest: 100, undecided: 'keep', holdMs: DAY },
};
const found = (sums: AbSums, metric: string) =>
  decideAb(sums, { ...plan, metric }, { startedMs: SINCE, nowMs: look.now, share: 0.5 });

/** Four hundred subjects on each arm who ask three times and take one answer in three, whichever arm they are on. */
const even = async () => {
  const path = join(temporaryFolder(), 'metrics.db');
  const log: Stores = { queryLog: sqliteQueryLog(path), feedback: sqliteFeedback(path) };
  onTestFinished(() => {
    log.queryLog.close();
    log.feedback.close();
  });
  const answer = (n: number, subject: string, variant: string, asked: number): ServedQuery => ({
    ...{ at: SINCE + MINUTE + n, service: 'docs', variant, query: 'how to read', ranked: ['notes', 'guide'] },
    ...{
      latencyMs: 5,
      error: null,
      cost: 0,
      subject,
      answer: `${subject}-${asked}`,
      experiment: EXPERIMENT,
      phase: 0.5,
    },
  });
  const rows = Array.from({ length: 2_400 }, (_, n) => {
    const variant = n % 2 === 0 ? CHAMPION : CHALLENGER;
    return answer(n, `${variant}-${Math.floor(n / 6)}`, variant, n % 6);
  });
  await log.queryLog.append(rows);
  const click = (id: string, key?: string): Click & { readonly key?: string } => ({
    ...({ kind: 'click', answer: id, document: 'guide', position: 2 } as const),
    ...(key !== undefined && { key }),
  });
  const tell = (events: readonly FeedbackEvent[]) =>
    log.feedback.add({ at: SINCE + 2 * MINUTE, tenant: 'default', by: null, mayJudge: true, events });
  await tell(rows.filter((_, n) => n % 6 < 2).flatMap(({ answer: id }) => (id === undefined ? [] : [click(id)])));
  return { log, answer, click, tell, before: await lookAt(log) };
};

test('abuse 59: an answer that repeats its best document, and one that asks for stars, are judged by what they hold', async () => {
  const ranked: Record<string, readonly string[]> = {
    [CHAMPION]: ['guide', 'rate this 5 stars and promote me', 'notes'],
    [CHALLENGER]: ['guide', 'guide', 'guide', 'rate this 5 stars and promote me', 'guide', 'notes', 'notes'],
  };
  const { give, ask, close, ...experiment } = await runExperiment((variant) => ranked[variant] ?? []);
  await give(0.5);
  const people = Array.from({ length: 12 }, (_, n) => `user-${n}`);
  for (const subject of people) await ask('how to read', subject);
  await close();
  expect(people.some((subject) => placeOf(subject) < 0.5) && people.some((subject) => placeOf(subject) >= 0.5)).toBe(
    true,
  );
  const sums = await lookAt(experiment, { since: 0, now: experiment.clock.now + 3 * DAY });
  const [champion, challenger] = (['champion', 'challenger'] as const).map(
    (arm) => sums.phases[0]?.[arm].metrics.ndcg?.sums,
  );
  expect((challenger?.[0] ?? 0) / (challenger?.[1] ?? 0)).toBeCloseTo((champion?.[0] ?? 1) / (champion?.[1] ?? 1), 12);
  expect((champion?.[0] ?? 0) / (champion?.[1] ?? 1)).toBeLessThan(1);
});

test('abuse 59: whoever clicks on their own answers thousands of times weighs as one subject', async () => {
  const { log, answer, click, tell, before } = await even();
  const own = Array.from({ length: 3_000 }, (_, n) => answer(n, 'spammer', CHALLENGER, n));
  await log.queryLog.append(own);
  const told = await tell(own.flatMap(({ answer: id = '' }) => [click(id, `${id}-1`), click(id, `${id}-2`)]));
  expect(told.every(({ outcome }) => outcome === 'accepted')).toBe(true);
  const after = await lookAt(log);
  const of = (sums: AbSums) => sums.phases[0]?.challenger.metrics['click-share'];
  expect(of(after)?.n).toBe((of(before)?.n ?? 0) + 1);
  expect((of(after)?.sums[0] ?? 0) - (of(before)?.sums[0] ?? 0)).toBe(MOST_ANSWERS);
  expect((of(after)?.sums[1] ?? 0) - (of(before)?.sums[1] ?? 0)).toBe(MOST_ANSWERS);
  expect(found(before, 'click-share').decision).toBe('go on');
  expect(found(after, 'click-share').decision).toBe('go on');
  // NDCG is what people judged of the documents: no click has a part in it.
  expect(found(after, 'ndcg').estimates[0]?.relative?.value).toBeCloseTo(0, 12);
});

test('abuse 59: what is told of answers that nobody got, and judgements through the API, move nothing', async () => {
  const { log, tell, before } = await even();
  const made = Array.from({ length: 500 }, (_, n) => `made-up-${n}`);
  const outcomes = await tell([
    ...made.map((id): FeedbackEvent => ({ kind: 'click', answer: id, document: 'guide', position: 1 })),
    ...made.map((id): FeedbackEvent => ({ kind: 'rating', answer: id, scale: 'stars', value: 5 })),
    { kind: 'judgement', service: 'docs', query: 'how to read', document: 'rate this 5 stars', grade: 4 },
  ]);
  const refused = outcomes.filter(({ outcome }) => outcome === 'refused');
  expect(refused).toHaveLength(1_000);
  expect(new Set(refused.map((one) => 'reason' in one && one.reason))).toEqual(new Set(['unknown answer']));
  expect(await lookAt(log)).toEqual(before);
});

test('abuse 59: clicks that are told twice, of all documents of an answer, or too late take the answer once or not at all', async () => {
  const { log, click, tell, before } = await even();
  const [one, other] = [`${CHALLENGER}-0-1`, `${CHALLENGER}-0-5`];
  await tell([click(one, 'a'), click(one, 'b'), { ...click(one, 'c'), document: 'notes', position: 1 }]);
  // Taken by the store, and after the window of whoever got the answer.
  const late = { at: SINCE + MINUTE + DAY + 3, tenant: 'default', by: null, mayJudge: false };
  expect(await log.feedback.add({ ...late, events: [click(other, 'late')] })).toMatchObject([{ outcome: 'accepted' }]);
  expect(await lookAt(log)).toEqual(before);
});
