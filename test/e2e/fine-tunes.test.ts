import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesText } from '../../adapters/training/lines.ts';
import { violationsOf } from '../../check/check.ts';
import { legNow } from '../../cli/leg-now.ts';
import type { TrainingPlan } from '../../contracts/lora.ts';
import { abortUpdate } from '../../contracts/messages.ts';
import { eventually } from '../../drills/eventually.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { adapterShape } from '../../ml/lora/adapter.ts';
import { loadAdapter } from '../../ml/lora/files.ts';
import { type FineTuneHome, fineTuneHome } from '../support/fine-tune-home.ts';
import { tinyExamples, tinyPlan } from '../support/lora-home.ts';

let world: FineTuneHome;
beforeAll(async () => {
  world = await fineTuneHome();
}, 120_000);
afterAll(async () => {
  await world.replayEverything();
  await world.end();
}, 60_000);

const VERBS = ['read', 'write', 'open', 'close', 'parse', 'print', 'count', 'merge', 'split', 'move'];
const RERANKER: TrainingPlan = {
  ...tinyPlan,
  ...{ component: 'reranker', steps: 6, batch: 4, microBatch: 2, evaluateEvery: 3, learningRate: 1e-2 },
};

/** Its adapter as PEFT's folder, which fits the model as a cross-encoder's does. */
const exportedReranker = async (id: string) => {
  const exported = await world.pawl('lora', 'export', id, '--to', id, '--json');
  expect(exported).toMatchObject({ code: 0 });
  const adapter = loadAdapter((exported.json as { folder: string }).folder);
  expect(adapter.component).toBe('reranker');
  expect(() => adapterShape(openEncoder(world.tiny), adapter)).not.toThrow();
};

test('a reranker learns LambdaRank from the graded judgements of a service, and is registered with its proof', async () => {
  const nouns = ['file', 'stream', 'buffer', 'socket'];
  const rows = VERBS.flatMap((verb) =>
    nouns.flatMap((noun) => [
      `q-${verb}-${noun}\t${verb}-${noun}\t2`,
      `q-${verb}-${noun}\t${verb}-header\t1`,
      `q-${verb}-${noun}\tmove-page\t0`,
    ]),
  );
  writeFileSync(join(world.home, 'train.tsv'), rows.join('\n'));
  const handle = await world.start({
    ...{ id: 'lo_judged', plan: { ...RERANKER, loss: 'lambdarank' }, data: { judgements: true } },
  });
  const end = await handle.result();
  expect(end).toMatchObject({ outcome: 'trained', last: { step: 6 } });
  expect(end.evaluation?.queries).toBe(40);
  const card = await world.cardOf(end);
  expect(card.parity).toBeLessThanOrEqual(1e-5);
  expect(Object.keys(card.files)).toContain('parity.json');
  await exportedReranker('lo_judged');
});

test('a reranker learns RankNet from what people took of what they were shown', async () => {
  const feedback = VERBS.flatMap((verb) =>
    ['token', 'window', 'signal', 'timer'].map((noun) => ({
      query: `please ${verb} my ${noun}`,
      shown: [`${verb}-cache`, `${verb}-lock`, `${verb}-${noun}`, `${verb}-page`],
      chosen: [`${verb}-${noun}`],
    })),
  );
  const data = { feedback: await world.artifacts.put(linesText(feedback)) };
  const end = await (await world.start({ id: 'lo_taken', plan: { ...RERANKER, loss: 'ranknet' }, data })).result();
  expect(end).toMatchObject({ outcome: 'trained', last: { step: 6 } });
  expect(end.data?.examples).toBeGreaterThan(4);
  await exportedReranker('lo_taken');
});

// Were heartbeats held back as long as the SDK holds them back by itself, this would take a minute.
test('an abort is heard long before its worker would count as lost, and leaves what was learned', async () => {
  const data = { examples: await world.artifacts.put(linesText(tinyExamples(120))) };
  const plan = { ...tinyPlan, steps: 100_000, evaluateEvery: 100_000, checkpointEvery: 100_000, microBatch: 2 };
  const handle = await world.start({ id: 'lo_aborted', plan, data, heartbeatMs: 600_000, mostSteps: 100_000 });
  const leg = async () => legNow((await handle.describe()).raw.pendingActivities ?? []);
  await eventually(leg, (now) => now !== null && now.step > 2);
  await handle.executeUpdate(abortUpdate, { args: [{ by: 'ada', reason: 'enough' }] });
  const end = await handle.result();
  expect(end).toMatchObject({ outcome: 'aborted', because: 'enough (ada)' });
  expect(end.last?.step).toBeGreaterThan(2);
  expect(violationsOf(world.home)).toEqual([]);
}, 40_000);
