/** The README's examples of the API, run as they stand there, against a gateway of a home of their own. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { makeServiceHome } from '../../drills/service-home.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const ADDRESS = 'http://127.0.0.1:8787';

/** Blocks of commands that ask the gateway. */
const examples = (): string[] =>
  [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/```sh\n(.*?)```/gs)]
    .map(([, block = '']) => block)
    .filter((block) => block.includes(ADDRESS));

const gatewayOver = async (home: string): Promise<string> => {
  const env = { PATH: '/usr/bin:/bin', PAWL_HOME: home, PAWL_GATEWAY_PORT: '0' };
  const child = spawn(process.execPath, [join(ROOT, 'gateway/main.ts')], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { address } = JSON.parse(line) as { address?: string };
    if (address === undefined) continue;
    child.stdout.resume();
    return address;
  }
  throw new Error('the gateway ended before it listened');
};

/** `npm run -s pawl -- …` as it would run here, without a package manager in between. */
const commandsFor = (home: string): string => {
  const folder = join(temporaryFolder(), 'bin');
  mkdirSync(folder);
  const path = join(folder, 'npm');
  writeFileSync(
    path,
    `#!/bin/sh\nshift 4\nexec '${process.execPath}' '${join(ROOT, 'cli/main.ts')}' --home '${home}' "$@"\n`,
  );
  chmodSync(path, 0o755);
  return folder;
};

test("the README's examples of the API run, and each is answered", async () => {
  const { home, control } = await makeServiceHome();
  control.close();
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const [address, bin] = [await gatewayOver(home), commandsFor(home)];
  const blocks = examples();
  expect(blocks.length).toBeGreaterThan(1);
  for (const block of blocks) {
    const script = block.replaceAll(ADDRESS, address).replaceAll(/^curl /gm, 'curl -sS --fail-with-body ');
    const { stdout } = await promisify(execFile)('/bin/bash', ['--norc', '-e', '-c', script], {
      env: { PATH: `${bin}:/usr/bin:/bin` },
      timeout: 60_000,
    });
    const answers = stdout
      .replaceAll('}{', '}\n{')
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(answers.length).toBe(block.match(/^curl /gm)?.length);
    for (const answer of answers) expect(answer.error).toBeUndefined();
  }
});
