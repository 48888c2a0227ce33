import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLoraDataActivities } from '../../activities/lora-data.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { linesText, parseCorpusTexts, parseExamples, parseHeldOut } from '../../adapters/training/lines.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { LoraInput, PreparedData, TrainingPlan, Trajectory } from '../../contracts/lora.ts';
import { SERVICE, writeService } from '../../drills/service-home.ts';
import { trainingPlan } from '../support/lora.ts';
import { tinyConfig } from '../support/lora-home.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NOW = Date.parse('2026-11-21T12:00:00Z');
const DAY_MS = 86_400_000;

/** A service whose files are on the disk, with real stores. */
const scene = () => {
  const home = temporaryFolder();
  writeService(home, SERVICE, {});
  const artifacts = folderArtifacts(join(home, 'artifacts'));
  const queryLog = sqliteQueryLog(join(home, 'metrics.db'));
  onTestFinished(() => queryLog.close());
  const deps = { artifacts, queryLog, services: servicesOf(home, null), now: () => NOW };
  const { prepareLoraData } = createLoraDataActivities(deps);
  const prepare = async (data: LoraInput['data'], plan: Partial<TrainingPlan> = {}): Promise<PreparedData> => {
    const input: LoraInput = {
      ...{ service: SERVICE, id: 'lo_1', base: 'base', config: tinyConfig, plan: { ...trainingPlan, ...plan }, data },
      ...{ requestedBy: { kind: 'person', name: 'ada' }, reason: 'for the test', mostSteps: 100 },
    };
    return new MockActivityEnvironment().run(prepareLoraData, input) as Promise<PreparedData>;
  };
  const text = async (ref: ArtifactRef) => ({ name: 'prepared', text: (await artifacts.get(ref)).toString('utf8') });
  return {
    ...{ home, artifacts, queryLog, prepare },
    examples: async ({ train }: PreparedData) => parseExamples(await text(train)),
    heldOut: async ({ heldOut }: PreparedData) => ({
      queries: parseHeldOut(await text(heldOut.queries)),
      corpus: parseCorpusTexts(await text(heldOut.corpus)),
    }),
    feedback: async (trajectories: readonly Trajectory[]) => ({
      feedback: await artifacts.put(linesText(trajectories)),
    }),
  };
};

const WORDS = 'amber basalt cobalt dune ember fjord garnet heath iris jade kelp lagoon marble nectar onyx pearl'.split(
  ' ',
);
/** Sixteen questions with no word in common but the smallest. */
const askedFor = (at: number): string => `${WORDS[at]} ${WORDS[(at * 7 + 3) % 16]}${at} ${'xyz'[at % 3]}${at * at}`;
const documentOf = (id: string): string => {
  const [verb = '', noun = ''] = id.split('-');
  const name = `${verb}${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
  return `${name}\n${name}(target): void. See the manual.`;
};

describe('judgements', () => {
  test('are learned from by their grades; the judged test queries are held out, over the whole corpus', async () => {
    const { home, prepare, examples, heldOut } = scene();
    const asked = WORDS.map((_, at) => ({ _id: `t${at}`, text: askedFor(at) }));
    const rows = asked.flatMap(({ _id }) => [`${_id}\tread-file\t1`, `${_id}\twrite-file\t2`, `${_id}\topen-file\t0`]);
    writeFileSync(join(home, 'train.tsv'), rows.join('\n'));
    writeFileSync(join(home, 'test.tsv'), 'h1\tclose-file\t1\nh1\tmove-file\t0');
    const held = { _id: 'h1', text: 'something else entirely' };
    writeFileSync(join(home, 'queries.jsonl'), linesText([...asked, held]));

    const prepared = await prepare({ judgements: true }, { loss: 'lambdarank', component: 'reranker' });
    const learned = await examples(prepared);
    const [better] = learned.filter(({ positive }) => positive === documentOf('write-file'));
    expect(better).toMatchObject({ negatives: [documentOf('read-file'), documentOf('open-file')], grades: [2, 1, 0] });
    const [worse] = learned.filter(({ positive }) => positive === documentOf('read-file'));
    expect(worse).toMatchObject({ negatives: [documentOf('open-file')], grades: [1, 0] });
    const { queries, corpus } = await heldOut(prepared);
    expect(queries).toEqual([{ query: held.text, relevant: { 'close-file': 1, 'move-file': 0 } }]);
    expect(corpus).toHaveLength(120);
    expect(prepared).toMatchObject({ examples: learned.length, heldOutQueries: 1 });
    expect(await prepare({ judgements: true }, { loss: 'lambdarank', component: 'reranker' })).toEqual(prepared);
  });

  test('of a training query that asks what a held-out one asks are not learned from', async () => {
    const { prepare, examples, heldOut } = scene();
    const prepared = await prepare({ judgements: true });
    const held = new Set((await heldOut(prepared)).queries.map(({ query }) => query));
    expect(held.size).toBe(40);
    for (const { query } of await examples(prepared)) expect(held).not.toContain(query);
  });
});

describe('feedback', () => {
  const chosen = ['read-file'];

  test('makes what was looked past a negative of what was taken', async () => {
    const { prepare, feedback, examples } = scene();
    const shown = ['open-file', 'close-file', 'read-file', 'move-file', 'gone-file'];
    const prepared = await prepare(await feedback(WORDS.map((_, at) => ({ query: askedFor(at), shown, chosen }))));
    for (const example of await examples(prepared)) {
      expect(example).toMatchObject({ positive: documentOf('read-file'), grades: [1, 0, 0] });
      expect(example.negatives).toEqual([documentOf('open-file'), documentOf('close-file')]);
    }
  });

  test('that does not say what was shown takes the newest ranking of the query log, of the last thirty days', async () => {
    const { prepare, feedback, examples, queryLog } = scene();
    const served = (query: string, daysAgo: number, ranked: readonly string[]) => ({
      ...{ at: NOW - daysAgo * DAY_MS, service: SERVICE, variant: 'v', query, ranked },
      ...{ latencyMs: 1, error: null, cost: 0 },
    });
    await queryLog.append(
      WORDS.flatMap((_, at) =>
        at % 2 === 0
          ? [
              served(askedFor(at), 3, ['move-file', 'read-file']),
              served(` ${askedFor(at).toUpperCase()} `, 2, ['open-file', 'read-file']),
            ]
          : [served(askedFor(at), 31, ['open-file', 'read-file'])],
      ),
    );
    const prepared = await prepare(await feedback(WORDS.map((_, at) => ({ query: askedFor(at), chosen }))));
    const learned = await examples(prepared);
    const recent = new Set(WORDS.flatMap((_, at) => (at % 2 === 0 ? [askedFor(at)] : [])));
    expect(learned.length).toBeGreaterThan(5);
    for (const { query, negatives } of learned)
      expect(negatives).toEqual(recent.has(query) ? [documentOf('open-file')] : undefined);
  });

  test('on documents that the corpus does not hold is no data, and the error says what to bring', async () => {
    const { prepare, feedback } = scene();
    const lost = prepare(await feedback([{ query: 'anything', chosen: ['gone-file'] }]));
    await expect(lost).rejects.toMatchObject({
      type: 'NoData',
      message: expect.stringContaining('ids that the corpus'),
    });
  });

  test('beside judgements adds to them', async () => {
    const { prepare, feedback, examples } = scene();
    const given = await feedback([{ query: 'zebra quartz 77', shown: ['open-file', 'read-file'], chosen }]);
    const prepared = await prepare({ judgements: true, ...given });
    const before = await prepare({ judgements: true });
    expect(prepared.examples).toBe(before.examples + 1);
    expect((await examples(prepared)).map(({ query }) => query)).toContain('zebra quartz 77');
  });
});

test.each(['ranknet', 'lambdarank'] as const)(
  '%s has nothing to learn where no document is less relevant',
  async (loss) => {
    const { prepare } = scene();
    await expect(prepare({ judgements: true }, { loss, component: 'reranker' })).rejects.toMatchObject({
      type: 'NoData',
      message: expect.stringContaining('less relevant'),
    });
    expect((await prepare({ judgements: true }, { loss: 'mse', component: 'reranker' })).examples).toBeGreaterThan(0);
  },
);
