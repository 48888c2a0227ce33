import { randomUUID } from 'node:crypto';
import { QdrantClient } from '@qdrant/js-client-rest';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ScoredChunk } from '../../adapters/retrieval/port.ts';
import { qdrantIndexes } from '../../adapters/retrieval/qdrant.ts';
import { pointsOf } from '../../adapters/retrieval/qdrant-points.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { describeChunkIndex } from './chunk-index.ts';
import { documentOf, found, question, recipe } from './chunk-index-scene.ts';

const { qdrant } = readEnvironment();
const place = qdrant ?? { url: 'http://127.0.0.1:6333' };
const SERVICES = ['docs', 'shop'];

/** Collections of this run alone, which go with it. */
const indexesOf = (prefix = `pawl_test_${randomUUID().slice(0, 8)}_`) => {
  const indexes = qdrantIndexes({ ...place, prefix });
  onTestFinished(async () => {
    for (const service of SERVICES) {
      for (const digest of await indexes.list(service)) await indexes.remove(service, digest);
    }
  });
  return indexes;
};

describe.skipIf(qdrant === null)('Qdrant (skipped without QDRANT_URL)', () => {
  describeChunkIndex('Qdrant', async () => indexesOf());

  test('what a process that died while it applied left behind is never found, and is gone when it is applied again', async () => {
    const index = await indexesOf('pawl_test_died_').open(recipe());
    const old = documentOf('ships', 'Ships lie anchored | Ships sail');
    await index.apply({ cursor: 1, documents: [old, documentOf('birds', 'Birds sit')] });
    const before = await index.search(question('Ships lie anchored'));

    // What `apply` does before it moves the cursor.
    const client = new QdrantClient({ ...place, checkCompatibility: false });
    const name = `pawl_test_died_docs_${recipe().digest}`;
    const half = {
      cursor: 2,
      documents: [documentOf('ships', 'Boats at the quay'), documentOf('new', 'Ships lie anchored')],
    };
    const points = half.documents.flatMap((one) => pointsOf(one, half.cursor, recipe().tokenising));
    await client.upsert(name, { points, wait: true });
    const filter = {
      must: [
        { key: 'document', match: { value: 'ships' } },
        { key: 'from', range: { lte: 1 } },
      ],
    };
    await client.setPayload(name, { payload: { until: 2 }, filter, wait: true });
    const after = await index.search(question('Ships lie anchored'));
    const near = ({ score, ...hit }: ScoredChunk) => ({ ...hit, score: expect.closeTo(score, 5) });
    expect(after).toEqual({ dense: before.dense.map(near), lexical: before.lexical.map(near) });
    expect(await index.counts()).toEqual({ documents: 2, chunks: 3 });

    await index.apply({ cursor: 3, documents: [documentOf('trains', 'Trains stand')] });
    expect(await index.counts()).toEqual({ documents: 3, chunks: 4 });
    expect((await found(index, question('Ships'))).lexical).toEqual(['ships', 'ships']);
    await index.apply({ ...half, cursor: 4 });
    expect(await index.counts()).toEqual({ documents: 4, chunks: 4 });
    expect((await found(index, question('Boats quay'))).lexical).toEqual(['ships']);
  });

  test('both legs and their fusion are one question where only the order is wanted', async () => {
    const index = await indexesOf().open(recipe());
    await index.apply({
      cursor: 1,
      documents: ['ships', 'trains', 'birds'].map((id) => documentOf(id, `All about ${id}`)),
    });
    const fusion = { k: 60, weights: { lexical: 1, dense: 1 }, depth: 10 };
    const fused = await index.fused(question('All about trains'), fusion);
    expect(fused).toHaveLength(3);
    expect(fused[0]?.document).toBe('trains');
  });

  test('an alias is another index in one step', async () => {
    const indexes = indexesOf();
    const [one, two] = ['a1'.repeat(32), 'b2'.repeat(32)];
    await (await indexes.open(recipe({ digest: one }))).close();
    await (await indexes.open(recipe({ digest: two }))).close();
    await indexes.pointAlias('docs', one);
    await indexes.pointAlias('docs', two);
    expect(await indexes.list('docs')).toEqual([one, two]);
  });
});

test('where no Qdrant answers, the error says where it was looked for', async () => {
  await expect(qdrantIndexes({ url: 'http://127.0.0.1:1' }).open(recipe())).rejects.toMatchObject({
    type: 'Unavailable',
    hint: expect.stringContaining('QDRANT_URL'),
  });
});
