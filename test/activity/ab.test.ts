/** Looks at an experiment that ran on a real gateway, held against sums that the test works out by itself. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAbActivities } from '../../activities/ab.ts';
import { SETTLED_MS } from '../../activities/ab-look.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import type { QueryLog, ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import type { AbLook, AbSums } from '../../contracts/ab.ts';
import type { LedgerEntry } from '../../contracts/control.ts';
import { MOST_ANSWERS } from '../../domain/ab/subject-values.ts';
import { EXPERIMENT, type Experiment, placeOf, runExperiment } from '../support/experiment.ts';
import { CHALLENGER, CHAMPION, GOLD, registered } from '../support/gateway.ts';

const JUDGED = [
  { id: '1', text: 'first', judgements: { a: 3, b: 1 } },
  { id: '2', text: 'second', judgements: { c: 1 } },
];
const RANKED: Record<string, Record<string, readonly string[]>> = {
  [CHAMPION]: { first: ['b', 'a', 'x'], second: ['x', 'c'] },
  [CHALLENGER]: { first: ['a', 'b', 'x'], second: ['x', 'y', 'c'] },
};
const played = (variant: string, query: string) =>
  query.startsWith('broken') && variant === CHALLENGER ? null : (RANKED[variant]?.[query] ?? ['x', 'y', 'z']);
const people = Array.from({ length: 80 }, (_, n) => `user-${n}`);
const [WINDOW, BEFORE, GAP] = [10_000, 50_000, 1_000];
const METRICS = ['ndcg', 'errors', 'cost', 'click-share', 'latency', 'latency-p99'];

interface Asked {
  readonly subject: string;
  readonly query: string;
  readonly at: number;
  readonly variant: string;
  readonly clicked: boolean;
}

/** Two phases of a ramp, and what everybody asked and got before and in them. */
const lived = async () => {
  const experiment = await runExperiment(played);
  const { clock, give, ask, tell } = experiment;
  const asked: Asked[] = [];
  const clicks: Array<() => Promise<unknown>> = [];
  const everybody = async (queries: readonly string[], who = people): Promise<void> => {
    for (const [n, subject] of who.entries()) {
      for (const [m, query] of queries.entries()) {
        if ((n + m) % 4 === 3) continue;
        clock.now += 7;
        const at = clock.now;
        const body = await ask(query, subject);
        const clicked = (n + m) % 3 === 0 && body.hits !== undefined;
        asked.push({ subject, query, at, variant: body.variant ?? CHALLENGER, clicked });
        // Whoever takes two documents of an answer has taken one answer.
        if (clicked) for (const { id } of body.hits.slice(0, 2)) clicks.push(() => tell(at + 1, body.answer, id));
      }
    }
  };
  const shares = new Map<number, number>();
  const ramp = async (share: number): Promise<void> => {
    clock.now += GAP;
    shares.set(clock.now, share);
    await give(share);
  };
  await everybody(
    ['first', 'other'],
    people.filter((_, n) => n % 2 === 0),
  );
  const since = clock.now + GAP;
  await ramp(0.2);
  await everybody(['first', 'second', 'broken one', 'other'], people.slice(0, 50));
  clock.now += WINDOW;
  const midway = clock.now - WINDOW / 3;
  await ramp(0.4);
  await everybody(['second', 'first', 'broken two']);
  clock.now += WINDOW;
  await everybody(['first', 'broken three'], people.slice(0, 30));
  for (let n = 0; n < 7; n += 1) await ask('first');
  const end = clock.now + 3 * WINDOW;
  await experiment.close();
  for (const click of clicks) await click();
  return { experiment, asked, shares, since, midway, end };
};
type Scene = Awaited<ReturnType<typeof lived>>;

const dcg = (grades: readonly number[]) =>
  grades.reduce((sum, grade, n) => sum + (2 ** grade - 1) / Math.log2(n + 2), 0);
const failed = ({ variant, query }: Asked) => played(variant, query) === null;
const MEASURES: Record<string, (asked: Asked) => number | null> = {
  ndcg: ({ variant, query }) => {
    const judged: Record<string, number> | undefined = JUDGED.find(({ text }) => text === query)?.judgements;
    if (!judged) return null;
    const found = (RANKED[variant]?.[query] ?? []).map((id) => judged[id] ?? 0);
    return dcg(found) / dcg(Object.values(judged).sort((a, b) => b - a));
  },
  errors: (one) => (failed(one) ? 1 : 0),
  cost: (one) => (failed(one) ? 0 : one.variant === CHAMPION ? 1 : 2),
  'click-share': (one) => (failed(one) ? null : Number(one.clicked)),
};

/** By loops over what was asked, knowing nothing of pages, cursors or exposures but where each subject stands. */
const expectedOf = ({ asked, shares, since, end }: Scene): Map<string, number[]> => {
  const until = end - SETTLED_MS;
  const shareAt = (at: number) => [...shares].filter(([from]) => from <= at).at(-1)?.[1] ?? 0;
  const found = new Map<string, number[]>();
  const add = (key: string, values: readonly number[]) =>
    found.set(
      key,
      values.map((value, n) => value + (found.get(key)?.[n] ?? 0)),
    );
  for (const subject of people) {
    const mine = asked.filter((one) => one.subject === subject);
    const place = placeOf(subject);
    const first = mine.find(({ at }) => at >= since && (place < shareAt(at) || place >= 1 - shareAt(at)));
    if (!first || first.at >= until) continue;
    const arm = `${shareAt(first.at)} ${place < 0.5 ? 'champion' : 'challenger'}`;
    add(`${arm} enrolled`, [1]);
    if (first.at >= until - WINDOW) continue;
    for (const [metric, measure] of Object.entries(MEASURES)) {
      const sumOver = (from: number, to: number) => {
        const of = mine.filter(({ at }) => at >= from && at < to).map(measure);
        const values = of.filter((value) => value !== null);
        return [values.reduce((sum, value) => sum + value, 0), values.length];
      };
      const four = [...sumOver(first.at, first.at + WINDOW), ...sumOver(first.at - BEFORE, first.at)];
      const products = four.flatMap((a, i) => four.slice(i).map((b) => a * b));
      if (four[1] !== 0) add(`${arm} ${metric}`, [1, ...four, ...products]);
    }
  }
  return found;
};

const flat = (sums: AbSums, metrics: readonly string[]): Map<string, number[]> => {
  const found = new Map<string, number[]>();
  for (const { share, ...arms } of sums.phases) {
    for (const [arm, { enrolled, metrics: of }] of Object.entries(arms)) {
      if (enrolled > 0) found.set(`${share} ${arm} enrolled`, [enrolled]);
      for (const metric of metrics) {
        const ratio = of[metric];
        if (ratio) found.set(`${share} ${arm} ${metric}`, [ratio.n, ...ratio.sums, ...ratio.products]);
      }
    }
  }
  return found;
};
const sorted = (found: ReadonlyMap<string, readonly number[]>) =>
  [...found]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, values]) => [key, values.map((value) => Number(value.toFixed(6)))]);

const ARMS = { service: 'docs', experiment: EXPERIMENT, champion: CHAMPION, challenger: CHALLENGER };
const activitiesOn = ({ queryLog, feedback, control }: Pick<Experiment, 'queryLog' | 'feedback' | 'control'>) =>
  createAbActivities({
    ...{ queryLog, feedback, control, judged: async () => JUDGED, now: () => 0 },
    artifacts: { putJson: async () => ({ uri: '', sha256: '' }) },
  });

describe('a look at the arms', () => {
  const played = async () => {
    const scene = await lived();
    const { lookAtArms } = activitiesOn(scene.experiment);
    const window = { windowMs: WINDOW, beforeMs: BEFORE, since: scene.since, now: scene.end, sums: null };
    const lookAt = (over: Partial<AbLook> = {}) => lookAtArms({ ...ARMS, metrics: METRICS, ...window, ...over });
    return { ...scene, lookAt, scene, final: await lookAt() };
  };

  test('finds the sums of each subject, arm and phase that somebody else finds by counting', async () => {
    const { scene, final, experiment, end, since } = await played();
    const expected = expectedOf(scene);
    expect(expected.size).toBe(2 * 2 * (1 + Object.keys(MEASURES).length));
    expect(sorted(flat(final, Object.keys(MEASURES)))).toEqual(sorted(expected));
    expect(final).toMatchObject({ unnamed: 7, crossed: 0, until: end - SETTLED_MS });
    // How long an answer took is known to the log alone; a percentile is no sum over answers.
    const arms = final.phases.flatMap(({ champion, challenger }) => [champion, challenger]);
    const total = (metric: string, at: number) =>
      arms.reduce((sum, of) => sum + (of.metrics[metric]?.sums[at] ?? 0), 0);
    expect(total('latency', 1)).toBe(total('click-share', 1));
    expect(total('latency', 0)).toBeGreaterThan(0);
    const rows = await experiment.queryLog.read({ service: 'docs', from: since, to: end });
    expect(total('latency', 0)).toBeLessThan(rows.reduce((sum, { latencyMs }) => sum + latencyMs, 0));
    expect(arms.some(({ metrics }) => 'latency-p99' in metrics)).toBe(false);
  });

  test('looks taken on the way end where one look ends, and one that is repeated finds the same, whatever came since', async () => {
    const { lookAt, final, since, midway, end } = await played();
    let sums: AbSums | null = null;
    for (let now = since; now < end; now += 1_300) sums = await lookAt({ now, sums });
    sums = await lookAt({ sums });
    expect(sorted(flat(sums, METRICS))).toEqual(sorted(flat(final, METRICS)));
    expect({ ...sums, phases: [] }).toEqual({ ...final, phases: [] });
    const [once, again] = [await lookAt({ now: midway }), await lookAt({ now: midway })];
    expect(again).toEqual(once);
    const counted = (sums: AbSums) => sums.phases.flatMap(({ champion }) => champion.metrics.ndcg?.n ?? 0);
    expect(counted(once)).not.toEqual(counted(final));
    expect(await lookAt({ now: midway, sums: final })).toEqual(final);
  });
});

describe('of a log', () => {
  const row = (at: number, subject: string, over: Partial<ServedQuery> = {}): ServedQuery => ({
    ...{ at, service: 'docs', variant: CHAMPION, query: 'first', ranked: ['a', 'b'], latencyMs: 5, error: null },
    ...{ cost: 0, subject, answer: `${subject} ${at}`, experiment: EXPERIMENT, phase: 0.1, ...over },
  });
  /** How many answers each reading of a subject brought. */
  let read: number[] = [];
  const logged = async (rows: readonly ServedQuery[], over: Partial<AbLook> = {}) => {
    const [queryLog, feedback] = [sqliteQueryLog(':memory:') as QueryLog, sqliteFeedback(':memory:')];
    onTestFinished(() => {
      queryLog.close();
      feedback.close();
    });
    await queryLog.append(rows);
    read = [];
    const ofSubject: QueryLog['ofSubject'] = async (filter) => {
      const answers = await queryLog.ofSubject(filter);
      read.push(answers.length);
      return answers;
    };
    const watched = { ...queryLog, ofSubject };
    const { lookAtArms } = activitiesOn({ queryLog: watched, feedback, control: {} as Experiment['control'] });
    const window = { windowMs: 1_000, beforeMs: 0, since: 0, now: 100_000, sums: null };
    return lookAtArms({ ...ARMS, metrics: ['ndcg', 'errors'], ...window, ...over });
  };

  test('who was answered by both arms is crossed, and counts once, for the arm that enrolled them', async () => {
    const sums = await logged([
      row(10, 'ann'),
      row(20, 'ann', { variant: CHALLENGER }),
      row(30, 'bob', { variant: CHALLENGER }),
      // Without being enrolled by it.
      { ...row(40, 'bob'), phase: undefined as never },
      row(50, 'cat'),
      row(5_000, 'cat', { variant: CHALLENGER }),
    ]);
    expect(sums.crossed).toBe(2);
    expect(sums.phases).toMatchObject([
      {
        champion: { enrolled: 2, metrics: { errors: { n: 2 } } },
        challenger: { enrolled: 1, metrics: { errors: { n: 1 } } },
      },
    ]);
  });

  test('whoever asks without end weighs no more than anybody who asks often, and no more of it is read', async () => {
    const rows = Array.from({ length: 900 }, (_, n) => row(10 + n, 'bot', { error: 'Internal', answer: `bot ${n}` }));
    const { phases } = await logged(rows);
    expect(phases[0]?.champion.metrics.errors?.sums).toEqual([MOST_ANSWERS, MOST_ANSWERS, 0, 0]);
    expect(read).toEqual([MOST_ANSWERS]);
  });

  test('more subjects than fit a page are all counted, those of one moment too', async () => {
    const rows = Array.from({ length: 1_003 }, (_, n) => row(10 + Math.floor(n / 700), `user-${n}`));
    const { phases } = await logged(rows);
    expect(phases).toMatchObject([{ champion: { enrolled: 1_003, metrics: { ndcg: { n: 1_003 } } } }]);
  });

  test('whose window has not ended is enrolled, and not summed yet', async () => {
    const sums = await logged([row(10, 'ann')], { windowMs: 100_000 });
    expect(sums.phases).toEqual([
      { share: 0.1, champion: { enrolled: 1, metrics: {} }, challenger: { enrolled: 0, metrics: {} } },
    ]);
  });

  test('what is from before it began is no part of it', async () => {
    const { phases } = await logged([row(10, 'ann'), row(30, 'bob')], { since: 20 });
    expect(phases).toMatchObject([{ champion: { enrolled: 1, metrics: { errors: { n: 1 } } } }]);
  });

  test('what came in the last moments is left to the next look, since more of it may still be written', async () => {
    const sums = await logged([row(10, 'ann')], { now: 10 + SETTLED_MS });
    expect(sums.phases).toEqual([]);
  });
});

describe('before it starts', () => {
  const store = async () => {
    const control = sqliteControl(':memory:');
    onTestFinished(() => control.close());
    await registered(control);
    let keys = 0;
    const row = (over: Partial<LedgerEntry>) => ({
      ...{ key: `row-${++keys}`, service: 'docs', cycle: 'c1', kind: 'ab ended', reason: 'a test' },
      ...{ actor: { kind: 'cycle', name: 'c1' }, body: { looked: 3 }, ...over },
    });
    return {
      control,
      ended: (cycle: string, over: Partial<LedgerEntry> = {}) => control.note(row({ cycle, ...over })),
      gold: (kind: string) =>
        control.setGold({
          key: `gold-${++keys}`,
          service: 'docs',
          variant: GOLD,
          actor: { kind, name: 'x' },
          reason: 'good',
        }),
      alphaOf: (cycle: string) =>
        activitiesOn({ control } as unknown as Experiment).alphaOf({ service: 'docs', cycle, alpha: 0.05 }),
    };
  };

  test('an evaluation gets what those before it left, and asks again as often as it likes', async () => {
    const { ended, alphaOf } = await store();
    const [first] = [await alphaOf('c1')];
    expect(first.nth).toBe(1);
    await ended('c1');
    await ended('c2', { service: 'shop' });
    const second = await alphaOf('c3');
    expect(second.nth).toBe(2);
    expect(second.alpha).toBeLessThan(first.alpha);
    await ended('c3');
    expect(await alphaOf('c3')).toEqual(second);
  });

  test('one that never looked has spent nothing', async () => {
    const { ended, alphaOf } = await store();
    await ended('c1', { body: { looked: 0 } });
    expect((await alphaOf('c2')).nth).toBe(1);
  });

  test('it starts anew when a person says what is good, and when nobody else does', async () => {
    const { ended, gold, alphaOf } = await store();
    await ended('c1');
    await gold('cycle');
    expect((await alphaOf('c2')).nth).toBe(2);
    await gold('person');
    expect((await alphaOf('c2')).nth).toBe(1);
    await ended('c2');
    expect((await alphaOf('c3')).nth).toBe(2);
  });

  test("what it will take is told from last week's subjects", async () => {
    const [queryLog, feedback] = [sqliteQueryLog(':memory:'), sqliteFeedback(':memory:')];
    onTestFinished(() => {
      queryLog.close();
      feedback.close();
    });
    const day = 86_400_000;
    const rows = Array.from(
      { length: 400 },
      (_, n): ServedQuery => ({
        ...{ at: 8 * day + (n * 2 * day) / 400, service: 'docs', variant: CHAMPION, query: 'first', latencyMs: 5 },
        ...{ ranked: n % 4 < 2 ? ['a', 'b'] : ['x', 'a'], error: null, cost: 0, subject: `user-${Math.floor(n / 2)}` },
      }),
    );
    // Too long ago, and of nobody.
    await queryLog.append([
      ...rows,
      { ...rows[0], at: 1, subject: 'old' } as ServedQuery,
      { ...rows[0], subject: undefined } as never,
    ]);
    const { expectAb } = createAbActivities({
      ...{ queryLog, feedback, judged: async () => JUDGED, now: () => 10 * day, control: { ledger: async () => [] } },
      artifacts: { putJson: async () => ({ uri: '', sha256: '' }) },
    });
    const found = await expectAb({ service: 'docs', metric: 'ndcg', gain: 0.03, alpha: 0.05 });
    expect(found).toMatchObject({ subjectsPerDay: 100, subjectsNeeded: expect.any(Number) });
    expect(found.days).toBeCloseTo((found.subjectsNeeded ?? 0) / 100, 1);
    const blind = await expectAb({ service: 'docs', metric: 'latency-p99', gain: 0.03, alpha: 0.05 });
    expect(blind).toMatchObject({ subjectsNeeded: null, days: null });
  });
});
