import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

test('pawl up serves everything until it is interrupted, the other commands find it, and it leaves nothing behind', async () => {
  const home = await folderWithData();
  await pawlIn(home, INIT);
  const { variables } = readEnvironment();
  const env = { ...variables, PAWL_HOME: home, PAWL_TEMPORAL_PORT: '0', PAWL_GATEWAY_PORT: '0' };
  const up = spawn(process.execPath, [MAIN, 'up', '--json'], { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(up, 'exit');
  try {
    const [line] = await once(createInterface({ input: up.stdout }), 'line');
    const { temporal, gateway } = JSON.parse(String(line));
    expect((await fetch(`${gateway}/health`)).status).toBe(200);

    const armed = await pawlIn(home, ['gold', 'set', '--reason', 'for the test', '--json']);
    expect(armed).toMatchObject({ code: 0, json: { accepted: true } });
    const again = await pawlIn(home, ['up', '--json']);
    expect({ code: again.code, ...errorOf(again) }).toMatchObject({ code: 5, type: 'Refused' });

    up.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(existsSync(homePaths(home).up)).toBe(false);
    await expect(fetch(`${gateway}/health`)).rejects.toThrow();
    expect(temporal.address).toMatch(/^127\.0\.0\.1:\d+$/);
  } finally {
    up.kill('SIGINT');
    await ended;
    await rm(home, { recursive: true, force: true });
  }
}, 120_000);

test('pawl up without a service says how to make one', async () => {
  const home = await folderWithData();
  try {
    const ran = await pawlIn(home, ['up', '--home', home, '--json']);
    expect({ code: ran.code, ...errorOf(ran) }).toMatchObject({ code: 4, hint: '`pawl init` makes one.' });
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
