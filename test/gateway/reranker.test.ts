import { expect, onTestFinished, test } from 'vitest';
import type { StoredChunk } from '../../adapters/retrieval/port.ts';
import { seeded } from '../../domain/random.ts';
import { createEncoders } from '../../gateway/encoders.ts';
import { learnOrder, type ShownQuery } from '../../gateway/learned-order.ts';
import { type Candidate, networkBytes, openReranker } from '../../gateway/reranker.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { newAdapter } from '../../ml/lora/adapter.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tinyModel } from '../support/tiny-model.ts';

const HOW = { tokenising: { stemming: false, splitIdentifiers: false }, legDepth: 20 };
const chunkOf = (document: string, title: string, text: string): StoredChunk => ({
  ...{
    key: document,
    document,
    title,
    text,
    start: 0,
    end: text.length,
    headings: [],
    index: 0,
    metadata: {},
    vector: null,
  },
});
const WORDS = ['anchor', 'bridge', 'candle', 'dragon', 'engine', 'forest', 'garden', 'harbour'];

/** Whoever bears the word in the title is wanted; both legs put them somewhere by chance. */
const shownQueries = (count: number, isTold: boolean): ShownQuery[] =>
  Array.from({ length: count }, (_, n) => {
    const random = seeded(n + 1);
    const word = WORDS[n % WORDS.length] ?? '';
    const wanted = Math.floor(random() * 10);
    const candidates = Array.from({ length: 10 }, (_, at): Candidate => {
      const title = isTold && at === wanted ? word : 'some title';
      return {
        chunk: chunkOf(`d${n}-${at}`, title, `${word} and others`),
        lexical: { rank: at + 1, score: 5 - at / 10 },
        dense: { rank: at + 1, score: 0.5 - at / 100 },
      };
    });
    const query = { id: `q${n}`, text: `what is ${word}`, judgements: { [`d${n}-${wanted}`]: 1 } };
    return { id: query.id, query, vector: null, candidates, rest: [] };
  });
const quietly = { seed: 1, tell: () => undefined };

test('an order is learned from what tells the wanted ones apart, and gains on queries that it did not see', async () => {
  const learned = await learnOrder(shownQueries(60, true), HOW, quietly);
  expect(learned?.gain.low).toBeGreaterThan(0.1);
  const reranker = await openReranker(
    { kind: 'fusion', depth: 10, network: { uri: 'artifact:network', sha256: '' } },
    { artifacts: { get: async () => Buffer.from(await networkBytes(learned?.network as never)) }, encoders: none },
  );
  onTestFinished(() => reranker.release());
  const [one] = shownQueries(1, true);
  const scores = await reranker.scores({ text: one?.query.text ?? '', vector: null }, one?.candidates ?? [], HOW);
  const best = [...scores.keys()].sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0))[0] ?? -1;
  expect(one?.query.judgements).toHaveProperty(one?.candidates[best]?.chunk.document ?? '');
});

test('where nothing tells them apart the gain does not stand out', async () => {
  const learned = await learnOrder(shownQueries(60, false), HOW, quietly);
  expect(learned?.gain.low).toBeLessThanOrEqual(0);
});

test('a few judged queries teach nothing', async () => {
  expect(await learnOrder(shownQueries(19, true), HOW, quietly)).toBeNull();
});

const none = {
  take: async (): Promise<never> => {
    throw new Error('no encoder is asked for');
  },
  close: async () => undefined,
};

test('a cross-encoder scores query and part together, and gives back what it took', async () => {
  const folder = tinyModel(temporaryFolder());
  const config = { rank: 4, alpha: 8, dropout: 0, targets: ['query'] };
  const adapter = newAdapter(openEncoder(folder), config, 1, 'reranker');
  const encoders = createEncoders({
    source: { open: async () => ({ folder, adapter, adapterSide: 'both', probe: null }) },
    threads: { question: 1, documents: 1 },
  });
  onTestFinished(() => encoders.close());
  const encoder = { base: 'tiny', adapter: 'reranker' };
  const reranker = await openReranker(
    { kind: 'cross-encoder', encoder, maxLength: 32, depth: 5 },
    { encoders, artifacts: { get: none.take } },
  );
  const [one] = shownQueries(1, true);
  const scores = await reranker.scores({ text: 'what is a dragon', vector: null }, one?.candidates ?? [], HOW);
  expect(scores).toHaveLength(10);
  expect(new Set(scores).size).toBeGreaterThan(1);
  const taken = await encoders.take(encoder);
  expect(await taken.score([['what is a dragon', 'some title anchor and others']], 32)).toHaveLength(1);
  await taken.release();
  await reranker.release();
});
