import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { DEFAULT_SETTINGS, loadVariant, saveVariant } from '../../adapters/lexical/variant.ts';
import { openTestEngine } from '../support/search-engine.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const world = async () => {
  const folder = temporaryFolder();
  const root = join(folder, 'artifacts');
  const artifacts = folderArtifacts(root);
  const mine = await saveVariant(artifacts, 'docs', DEFAULT_SETTINGS);
  const theirs = await saveVariant(artifacts, 'docs', { ...DEFAULT_SETTINGS, stopShare: 0.05 });
  const other = await artifacts.get(theirs.artifact);
  /** Puts a variant that is valid in itself in the place of the one that was looked up. */
  const swap = () => writeFileSync(artifactPath(root, mine.id), other);
  return { folder, artifacts, mine, swap };
};
const refused = { type: 'DigestMismatch' };

test('abuse 51: an artifact that is swapped after it was found is not read', async () => {
  const { artifacts, mine, swap } = await world();
  expect(await artifacts.has(mine.artifact)).toBe(true);
  expect(await artifacts.get(mine.artifact)).toBeInstanceOf(Buffer);
  swap();
  await expect(artifacts.get(mine.artifact)).rejects.toMatchObject(refused);
  await expect(artifacts.getJson(mine.artifact)).rejects.toMatchObject(refused);
  await expect(loadVariant(artifacts, mine)).rejects.toMatchObject(refused);
});

test('abuse 51: a gateway does not load a variant whose artifact is swapped between lookup and load', async () => {
  const { folder, artifacts, mine, swap } = await world();
  const corpus = join(folder, 'corpus.jsonl');
  writeFileSync(corpus, `${JSON.stringify({ _id: 'a', title: 'a', text: 'ships' })}\n`);
  const variant = async () => {
    const found = { ...mine, service: 'docs', origin: 'hand', createdAt: '2026-11-21T00:00:00.000Z' };
    expect(await loadVariant(artifacts, found)).toMatchObject({ kind: 'lexical' });
    swap();
    return found;
  };
  const { engine } = openTestEngine({ folder, corpus, artifacts, variant });
  await engine.renew();
  await engine.renew();
  await expect(engine.load(mine.id)).rejects.toMatchObject(refused);
});
