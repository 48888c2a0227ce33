import { copyFileSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkpointName, latestCheckpoint, saveCheckpoint } from '../../../ml/train/checkpoint.ts';
import { differences, thisMachine } from '../../../ml/train/machine.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const saved = (folder: string, step: number): string =>
  saveCheckpoint(folder, {
    about: {
      ...{ step, optimiserSteps: step, totalSteps: 9, run: { base: 'b' }, machine: thisMachine(1) },
      progress: { best: null, bestStep: null, without: 0 },
    },
    tensors: { 'parameter:x': { shape: [2, 2], data: new Float32Array([step, 1 / 3, -0, 1e-40]) } },
  });

test('a checkpoint gives back every bit of what was saved', () => {
  const folder = temporaryFolder();
  const path = saved(folder, 4);
  const found = latestCheckpoint(folder);
  expect(found).toMatchObject({ path, damaged: [], about: { step: 4, run: { base: 'b' } } });
  expect(found.tensors['parameter:x']).toEqual({ shape: [2, 2], data: new Float32Array([4, 1 / 3, -0, 1e-40]) });
});

test('the same state is the same file', () => {
  const folders = [temporaryFolder(), temporaryFolder()];
  const [one, other] = folders.map((folder) => readFileSync(saved(folder, 4)));
  expect(one?.equals(other as Buffer)).toBe(true);
});

test('the last three are kept, and what a killed run left half-written goes', () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, '.step-00000001.safetensors.abc.tmp'), 'half');
  for (const step of [1, 2, 9, 10, 11]) saved(folder, step);
  expect(readdirSync(folder)).toEqual([9, 10, 11].map(checkpointName));
});

test.each<[string, (path: string) => void]>([
  ['one that is cut off', (path) => truncateSync(path, 300)],
  ['one that is empty', (path) => truncateSync(path, 0)],
  ['one in which a bit of a number changed', (path) => flip(path, -1)],
  ['one whose step was changed', (path) => replace(path, '"step":2', '"step":3')],
  ['one of another version', (path) => replace(path, '"version":1', '"version":7')],
])('%s is noticed, and the one before it taken', (_, damage) => {
  const folder = temporaryFolder();
  saved(folder, 1);
  damage(saved(folder, 2));
  const { about, damaged } = latestCheckpoint(folder);
  expect(about.step).toBe(1);
  expect(damaged).toEqual([expect.stringContaining(checkpointName(2))]);
});

test('a checkpoint under the name of another step is noticed', () => {
  const folder = temporaryFolder();
  copyFileSync(saved(folder, 1), join(folder, checkpointName(5)));
  expect(latestCheckpoint(folder)).toMatchObject({
    about: { step: 1 },
    damaged: [expect.stringContaining('holds step 1')],
  });
});

test('where none is whole, each is named with what is wrong', () => {
  const folder = temporaryFolder();
  truncateSync(saved(folder, 1), 20);
  expect(() => latestCheckpoint(folder)).toThrow(expect.objectContaining({ type: 'DigestMismatch' }));
});

test('a folder without checkpoints, and one that is not there, are said to be so', () => {
  expect(() => latestCheckpoint(temporaryFolder())).toThrow(/There is no checkpoint in/);
  expect(() => latestCheckpoint('/nowhere')).toThrow(/There is no folder \/nowhere/);
});

test('another machine is told in a sentence for each difference', () => {
  const now = thisMachine(2);
  expect(differences(now, now)).toEqual([]);
  expect(differences({ ...now, onnxruntime: '1.0.0', threads: 8 }, now)).toEqual([
    expect.stringMatching(/^ONNX Runtime was 1\.0\.0 and is /),
    expect.stringMatching(/^the number of threads was 8 and is 2 now/),
  ]);
});

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path);
  bytes[bytes.length + at] = (bytes.at(at) ?? 0) ^ 1;
  writeFileSync(path, bytes);
};
const replace = (path: string, before: string, after: string): void => {
  const bytes = readFileSync(path);
  // As the header carries it: JSON within JSON.
  const quoted = (text: string) => text.replaceAll('"', '\\"');
  const at = bytes.indexOf(quoted(before));
  expect(at).toBeGreaterThan(0);
  bytes.write(quoted(after), at);
  writeFileSync(path, bytes);
};
