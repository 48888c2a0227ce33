/** What every ArtifactStore is held to. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../adapters/artifacts/port.ts';

const refOf = (text: string) => {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { uri: `artifact:sha256/${sha256}`, sha256 };
};

export const describeArtifactStore = (name: string, make: () => Promise<ArtifactStore>): void => {
  describe(`artifact store: ${name}`, () => {
    let store: ArtifactStore;
    beforeEach(async () => {
      store = await make();
    });

    test('an artifact is named by the digest of its bytes, and comes back as it was', async () => {
      const bytes = Buffer.from([0, 255, 10, 13, 0]);
      const ref = await store.put(bytes);
      expect(ref.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
      expect(ref.uri).toBe(`artifact:sha256/${ref.sha256}`);
      expect(await store.get(ref)).toEqual(bytes);
    });

    test('the same bytes twice, also at once, are one artifact', async () => {
      const refs = await Promise.all(Array.from({ length: 8 }, () => store.put('same')));
      expect(new Set(refs.map(({ sha256 }) => sha256))).toEqual(new Set([refOf('same').sha256]));
      expect((await store.get(refOf('same'))).toString()).toBe('same');
    });

    test('nothing at all is an artifact too', async () => {
      const ref = await store.put('');
      expect(await store.has(ref)).toBe(true);
      expect(await store.get(ref)).toHaveLength(0);
    });

    test('equal JSON values are one artifact, whatever the order of their keys', async () => {
      const ref = await store.putJson({ b: [1, { d: null, c: 'ü' }], a: 0.1 });
      expect(await store.putJson({ a: 0.1, b: [1, { c: 'ü', d: null }] })).toEqual(ref);
      expect(await store.getJson(ref)).toEqual({ a: 0.1, b: [1, { c: 'ü', d: null }] });
    });

    test('a number that JSON cannot hold is refused instead of becoming null', async () => {
      await expect(store.putJson({ score: Number.NaN })).rejects.toMatchObject({ type: 'Usage' });
    });

    test('what was never put is not found', async () => {
      expect(await store.has(refOf('never'))).toBe(false);
      await expect(store.get(refOf('never'))).rejects.toMatchObject({ type: 'NotFound' });
      await store.put('never');
      expect(await store.has(refOf('never'))).toBe(true);
    });

    test.each([
      ['digest and address disagree', { ...refOf('a'), sha256: refOf('b').sha256 }],
      ['a path out of the store', { uri: 'artifact:sha256/../../etc/passwd', sha256: '../../etc/passwd' }],
      ['another scheme', { ...refOf('a'), uri: `file:///${refOf('a').sha256}` }],
      ['upper case', { uri: refOf('a').uri.toUpperCase(), sha256: refOf('a').sha256.toUpperCase() }],
      ['a line break at its end', { uri: `${refOf('a').uri}\n`, sha256: `${refOf('a').sha256}\n` }],
    ])('a reference that is no reference is refused: %s', async (_, ref) => {
      await store.put('a');
      await expect(store.get(ref)).rejects.toMatchObject({ type: 'Usage' });
      await expect(store.has(ref)).rejects.toMatchObject({ type: 'Usage' });
    });
  });
};
