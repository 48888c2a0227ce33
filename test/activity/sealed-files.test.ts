import { rmSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { evidenceFolder, readFolder } from '../../adapters/evidence/folder.ts';
import { sealedFiles } from '../../adapters/evidence/sealed-files.ts';
import { openStatement } from '../../adapters/evidence/statement.ts';
import { homePaths } from '../../adapters/home.ts';
import { PawlError } from '../../contracts/failures.ts';
import { CYCLE, cycleEvidence } from '../support/cycle-evidence.ts';
import { SERVICE } from '../support/search-service.ts';

const sealed = async () => {
  const { service, order, seal } = await cycleEvidence();
  const { artifacts } = service.deps;
  const statement = await artifacts.get((await seal(order)).statement);
  const digests = new Map(openStatement(statement).subject.map(({ name, digest }) => [name, digest.sha256]));
  const paths = homePaths(service.config.folder);
  const fileOf = (name: string) => artifactPath(paths.artifacts, digests.get(name) ?? '');
  return { artifacts, statement, fileOf, folder: evidenceFolder(paths.evidence, SERVICE, CYCLE) };
};

test('the artifacts have every file of the folder, byte by byte', async () => {
  const { artifacts, statement, folder } = await sealed();
  const files = await sealedFiles(artifacts, statement);
  const there = await readFolder(folder);
  expect(there?.size).toBeGreaterThan(10);
  expect(new Map([...files].sort())).toEqual(new Map([...(there ?? [])].sort()));
});

test('a file whose artifact is gone or was changed is left out', async () => {
  const { artifacts, statement, fileOf } = await sealed();
  rmSync(fileOf('monitor.json'));
  writeFileSync(fileOf('evaluation.json'), '{}');
  const files = await sealedFiles(artifacts, statement);
  expect(files.has('monitor.json')).toBe(false);
  expect(files.has('evaluation.json')).toBe(false);
  expect(files.has('lesson.json')).toBe(true);
});

test('artifacts that cannot be asked make no file a missing one', async () => {
  const { statement } = await sealed();
  const get = () => Promise.reject(new PawlError('Unavailable', 'the bucket does not answer'));
  await expect(sealedFiles({ get }, statement)).rejects.toMatchObject({ type: 'Unavailable' });
});
