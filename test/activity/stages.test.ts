import { isDeepStrictEqual } from 'node:util';
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createStageActivities } from '../../activities/stages.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { Training } from '../../contracts/stages.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import { pairedDifference } from '../../domain/bootstrap.ts';
import { NOW, SERVICE, type SearchService, searchService } from '../support/search-service.ts';

const NOWHERE: ArtifactRef = { uri: `artifact:sha256/${'0'.repeat(64)}`, sha256: '0'.repeat(64) };
const GATE = { name: 'quality', metric: 'ndcg', rule: { drop: 0.03 }, samples: 10, windowMs: 60_000, withinMs: 1 };
const BETTER = { ...DEFAULT_SETTINGS, stemming: true, splitIdentifiers: true };

const run = async <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
  new MockActivityEnvironment().run<[I], O, (input: I) => Promise<O>>(activity, input);

const augmented = async (service: SearchService) =>
  run(createStageActivities(service.deps).augment, { ...service.input('augment'), diagnosis: NOWHERE });

const training = { trials: 14, seconds: 60, seed: 7 };

const baselineOf = (service: SearchService, value: number): Vitals => ({
  service: SERVICE,
  variant: service.champion,
  from: new Date(NOW - 1).toISOString(),
  to: new Date(NOW).toISOString(),
  readings: { ndcg: { value, n: 100, low: value - 0.01, high: value + 0.01 } },
});

/** Traffic of judged queries, each answered by its document at this place. */
const answered = (place: number, variant: string, count = 40) =>
  Array.from({ length: count }, (_, at) => {
    const noun = ['buffer', 'token', 'timer', 'page'][at % 4];
    const ranked = [...Array.from({ length: place }, (_, n) => `other-${n}`), `read-${noun}`];
    return { variant, query: `How to READ the ${noun}s here?`, ranked };
  });

describe('monitor', () => {
  test('finds the breach of a gate, against the baseline of the champion', async () => {
    const service = await searchService();
    await service.deps.control.setBaseline({ key: 'b', variant: service.champion, vitals: baselineOf(service, 0.9) });
    service.serve([...answered(3, service.champion), ...answered(2, service.champion)]);
    const found = await run(
      createStageActivities(service.deps).findBreach,
      service.input('monitor', { gates: [GATE] }),
    );
    expect(found.findings).toMatchObject([{ state: 'breach', n: 80, baseline: 0.9 }]);
    expect(found.summary).toMatch(/^Breach: ndcg 0\.4/);
    expect(await service.deps.artifacts.getJson(found.evidence)).toMatchObject({ findings: found.findings });
  });

  test('has no data where nothing was served, and says so', async () => {
    const service = await searchService();
    const found = await run(
      createStageActivities(service.deps).findBreach,
      service.input('monitor', { gates: [GATE] }),
    );
    expect(found.findings).toMatchObject([{ state: 'no data' }]);
    expect(found.summary).toMatch('no data');
  });
});

test('diagnose names the queries that lost and the words that the index does not know', async () => {
  const service = await searchService();
  await service.deps.control.setBaseline({ key: 'b', variant: service.champion, vitals: baselineOf(service, 0.9) });
  service.serve([...answered(5, service.champion, 20), ...answered(0, service.champion, 10)]);
  const input = { ...service.input('diagnose', { gates: [GATE] }), findings: [] };
  const diagnosis = await run(createStageActivities(service.deps).diagnose, input);
  expect(diagnosis).toMatchObject({ lost: 20, queries: 30 });
  expect(await service.deps.artifacts.getJson(diagnosis.evidence)).toMatchObject({
    unknown: expect.arrayContaining([{ term: 'buffers', queries: 8 }]),
  });
});

describe('augment', () => {
  test('the same files give the same dataset', async () => {
    const service = await searchService();
    const [first, second] = [await augmented(service), await augmented(service)];
    expect(second).toEqual(first);
    expect(first.trainQueries).toBe(40);
  });

  test('a query that is judged for training and for testing is refused', async () => {
    const service = await searchService();
    const judgements = { train: 'train.tsv', test: 'train.tsv' };
    const config = { ...service.config, data: { ...service.config.data, judgements } };
    const deps = { ...service.deps, services: { config: async () => config } };
    const input = { ...service.input('augment'), diagnosis: NOWHERE };
    await expect(run(createStageActivities(deps).augment, input)).rejects.toMatchObject({
      type: 'ConfigInvalid',
      nonRetryable: true,
      message: expect.stringMatching(/judged for training and for testing/),
    });
  });
});

describe('train', () => {
  const trained = async (service: SearchService, details?: unknown, until?: number) => {
    const { dataset } = await augmented(service);
    const env = new MockActivityEnvironment(details === undefined ? {} : { heartbeatDetails: details });
    const beats: unknown[] = [];
    env.on('heartbeat', (beat: unknown) => {
      // A sign of life repeats what was reported last; only what is new is progress.
      if (isDeepStrictEqual(beat, beats.at(-1) ?? details)) return;
      beats.push(structuredClone(beat));
      if (beats.length === until) env.cancel('WORKER_SHUTDOWN');
    });
    const activities = createStageActivities(service.deps);
    const done = env.run(activities.train, { ...service.input('train', { training }), dataset }) as Promise<Training>;
    return { done, beats };
  };

  test('finds settings that are better on the training queries, and registers them as a variant', async () => {
    const service = await searchService();
    const { done, beats } = await trained(service);
    const result = await done;
    expect(result.trials).toBe(training.trials);
    expect(beats).toHaveLength(training.trials);
    expect(result.challengerScore).toBeGreaterThan(result.championScore);
    expect(result.usage).toEqual({ cpuSeconds: expect.any(Number), cents: expect.any(Number) });
    const variant = await service.deps.control.variant(result.challenger ?? '');
    expect(variant).toMatchObject({ service: SERVICE, origin: 'si_2026_11_21_001' });
  });

  test('ends with the same challenger, whether or not it was interrupted', async () => {
    const service = await searchService();
    const undisturbed = await (await trained(service)).done;

    const broken = await trained(service, undefined, 5);
    await expect(broken.done).rejects.toBeInstanceOf(CancelledFailure);
    expect(broken.beats.length).toBeLessThan(training.trials);
    const resumed = await trained(service, broken.beats.at(-1));
    expect(await resumed.done).toEqual(undisturbed);
    expect(resumed.beats).toHaveLength(training.trials - broken.beats.length);
  });

  test('does not resume from a heartbeat of other inputs, nor from one that makes no sense', async () => {
    const service = await searchService();
    const { done, beats } = await trained(service);
    const undisturbed = await done;
    const foreign = { ...(beats.at(-1) as object), of: 'another dataset' };
    for (const details of [foreign, 'nonsense', { of: 1 }]) {
      const again = await trained(service, details);
      expect(await again.done).toEqual(undisturbed);
      expect(again.beats).toHaveLength(training.trials);
    }
  });
});

describe('evaluate', () => {
  const evaluated = async (service: SearchService, challenger: string) => {
    const { dataset } = await augmented(service);
    const input = { ...service.input('evaluate'), dataset, challenger };
    return run(createStageActivities(service.deps).evaluate, input);
  };

  test('finds a better challenger better, and leaves scores that give the same verdict again', async () => {
    const service = await searchService();
    const result = await evaluated(service, await service.addVariant(BETTER));
    expect(result).toMatchObject({ verdict: 'better', queries: 40 });
    expect(result.usage).toEqual({ cpuSeconds: expect.any(Number), cents: expect.any(Number) });
    const evidence = (await service.deps.artifacts.getJson(result.evidence)) as {
      seed: number;
      scores: ReadonlyArray<{ champion: number; challenger: number }>;
    };
    const again = pairedDifference(
      evidence.scores.map(({ champion }) => champion),
      evidence.scores.map(({ challenger }) => challenger),
      { seed: evidence.seed },
    );
    expect(again).toMatchObject({ low: result.low, high: result.high });
  });

  test('does not find the champion better than itself', async () => {
    const service = await searchService();
    expect(await evaluated(service, service.champion)).toMatchObject({ verdict: 'not better', low: 0, high: 0 });
  });

  test('fails in the words of the catalogue for a variant that nobody registered', async () => {
    const service = await searchService();
    await expect(evaluated(service, 'f'.repeat(64))).rejects.toMatchObject({ type: 'NotFound', nonRetryable: true });
  });
});

test('watch compares what both arms served since the challenger got its share', async () => {
  const service = await searchService();
  const challenger = await service.addVariant(BETTER);
  const watch = (since: number) =>
    run(createStageActivities(service.deps).watch, {
      ...service.input('watch'),
      challenger,
      since: new Date(since).toISOString(),
    });
  expect(await watch(NOW - 5_000)).toMatchObject({ state: 'no data' });
  service.serve([...answered(1, service.champion), ...answered(0, challenger)]);
  expect(await watch(NOW - 5_000)).toMatchObject({ state: 'healthy' });
  expect(await watch(NOW - 500)).toMatchObject({ state: 'no data' });
  service.serve([...answered(5, challenger, 60), ...answered(4, challenger, 60)]);
  expect(await watch(NOW - 5_000)).toMatchObject({ state: 'degraded' });
});

describe('learn', () => {
  const learnt = async (
    service: SearchService,
    outcome: string,
    challenger: string | null,
    watching: ArtifactRef | null = null,
  ) =>
    run(createStageActivities(service.deps).learn, {
      ...service.input('learn', { gates: [GATE] }),
      outcome,
      because: 'a test',
      challenger,
      evaluation: null,
      watching,
    });

  test('notes the outcome once, however often it runs', async () => {
    const service = await searchService();
    expect(await learnt(service, 'rejected', null)).toEqual(await learnt(service, 'rejected', null));
    const rows = await service.deps.control.ledger({ cycle: 'si_2026_11_21_001' });
    expect(rows.filter(({ kind }) => kind === 'learned')).toHaveLength(1);
  });

  test('gives a champion its first baseline once there is enough to read', async () => {
    const service = await searchService();
    await learnt(service, 'kept', null);
    expect(await service.deps.control.baseline(SERVICE, service.champion)).toBeNull();
    service.serve([...answered(0, service.champion), ...answered(1, service.champion)]);
    await learnt(service, 'kept', null);
    expect((await service.deps.control.baseline(SERVICE, service.champion))?.readings.ndcg?.n).toBe(80);
  });

  test('holds a promoted variant against what its watch read of it', async () => {
    const service = await searchService();
    const challenger = await service.addVariant(BETTER);
    service.serve([...answered(1, service.champion), ...answered(0, challenger, 20), ...answered(1, challenger, 20)]);
    const since = new Date(NOW - 5_000).toISOString();
    const watched = await run(createStageActivities(service.deps).watch, {
      ...service.input('watch'),
      challenger,
      since,
    });
    await learnt(service, 'rolled back', challenger, watched.evidence);
    expect(await service.deps.control.baseline(SERVICE, challenger)).toBeNull();
    await run(createStageActivities(service.deps).learn, {
      ...service.input('learn'),
      key: 'another cycle/learn',
      outcome: 'promoted',
      because: 'a test',
      challenger,
      evaluation: null,
      watching: watched.evidence,
    });
    expect((await service.deps.control.baseline(SERVICE, challenger))?.readings.ndcg?.n).toBe(40);
  });

  test('holds a promoted variant against what was read of it during its canary, where that was enough', async () => {
    const service = await searchService();
    const challenger = await service.addVariant(BETTER);
    const promoted = (servedSince: string) =>
      run(createStageActivities(service.deps).learn, {
        ...service.input('learn', { gates: [GATE] }),
        ...{ outcome: 'promoted', because: 'a test', challenger, evaluation: null, watching: null, servedSince },
      });
    service.serve([...answered(0, challenger), ...answered(1, challenger)]);
    await promoted(new Date(NOW).toISOString());
    expect(await service.deps.control.baseline(SERVICE, challenger)).toBeNull();
    await promoted(new Date(NOW - 5_000).toISOString());
    expect((await service.deps.control.baseline(SERVICE, challenger))?.readings.ndcg?.n).toBe(80);
  });
});
