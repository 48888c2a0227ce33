import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { workflowBundle as shared } from '../support/temporal.ts';

/** Inside the project, so that workflows there find its packages. */
const temporaryFolder = (): string => {
  const state = resolve(import.meta.dirname, '../../.pawl');
  mkdirSync(state, { recursive: true });
  const folder = mkdtempSync(join(state, 'test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};
const workflowsIn = (folder: string, text: string): string => {
  const file = join(folder, 'flows.ts');
  writeFileSync(file, text);
  return file;
};

test('the shared bundle holds every workflow', () => {
  const code = readFileSync(shared().codePath, 'utf8');
  for (const name of ['guardian', 'improvementCycle', 'killSwitch', 'trigger'])
    expect(code).toContain(`function ${name}(`);
});

test('all who ask at once get one bundle', async () => {
  const folder = temporaryFolder();
  const workflows = workflowsIn(folder, 'export async function one(): Promise<number> { return 1; }');
  const paths = await Promise.all([1, 2, 3].map(() => workflowBundle(join(folder, 'cache'), workflows)));
  expect(new Set(paths).size).toBe(1);
  expect(readdirSync(join(folder, 'cache'))).toHaveLength(1);
});

test('changed code gets a bundle of its own', async () => {
  const folder = temporaryFolder();
  const first = await workflowBundle(folder, workflowsIn(folder, 'export async function one(): Promise<void> {}'));
  const second = await workflowBundle(folder, workflowsIn(folder, 'export async function two(): Promise<void> {}'));
  expect(second).not.toBe(first);
  expect(readFileSync(second, 'utf8')).toContain('function two(');
});

test('code that changes while it is bundled gets no bundle of both states', async () => {
  const folder = temporaryFolder();
  const workflows = workflowsIn(folder, 'export async function one(): Promise<void> {}');
  const asked = workflowBundle(folder, workflows);
  workflowsIn(folder, 'export async function two(): Promise<void> {}');
  expect(readFileSync(await asked, 'utf8')).toContain('function two(');
  workflowsIn(folder, 'export async function one(): Promise<void> {}');
  expect(readFileSync(await workflowBundle(folder, workflows), 'utf8')).toContain('function one(');
});

test('a workflow that imports what cannot be replayed is refused with what it may import', async () => {
  const folder = temporaryFolder();
  const workflows = workflowsIn(
    folder,
    `import fs from 'node:fs'; export async function f(): Promise<unknown> { return fs; }`,
  );
  await expect(workflowBundle(folder, workflows)).rejects.toMatchObject({
    message: expect.stringMatching(/cannot be bundled:[\s\S]*node:fs/),
    hint: expect.stringContaining('contracts/, domain/'),
  });
});
