import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from '../../infra/setup/command.mjs';
import { type Environment, readEnvironment } from '../../infra/setup/environment.ts';
import { resolveTemporal } from '../../infra/setup/temporal.ts';
import { inspectBinary } from '../../infra/setup/temporal-version.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pawl-temporal-'));
  for (const name of ['bin', 'tools', 'home']) mkdirSync(join(folder, name));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const GOOD = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)';
const OLD = 'temporal version 1.1.0 (Server 1.25.0, UI 2.30.0)';

/** A machine with nothing on PATH but what a test puts there. */
const machine = (more: Record<string, string> = {}): Environment =>
  readEnvironment({ PATH: `${folder}/bin`, HOME: `${folder}/home`, XDG_CACHE_HOME: folder, ...more });
const program = (file: string, body: string): string => {
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
};
const temporal = (file: string, version: string): string => program(file, `echo '${version}'`);
const offline = async () => ({ because: 'there is no network' });
/** A `go` that notes each call, and makes a binary of the given version where GOBIN says. */
const go = (version: string): string =>
  program(
    join(folder, 'bin', 'go'),
    `echo "$@" >> ${folder}/go.calls; printf '#!/bin/sh\\necho "${version}"\\n' > $GOBIN/temporal; /bin/chmod +x $GOBIN/temporal`,
  );
const noGo = () => program(join(folder, 'bin', 'go'), 'echo "proxy: connection refused" >&2; exit 1');

test('a binary that PAWL_TEMPORAL names is taken before all others', async () => {
  temporal(join(folder, 'bin', 'temporal'), GOOD);
  const mine = temporal(join(folder, 'tools', 'mine'), GOOD);
  await expect(resolveTemporal(machine({ PAWL_TEMPORAL: mine }), offline)).resolves.toMatchObject({
    path: mine,
    way: 'PAWL_TEMPORAL',
  });
});

test('a binary that PAWL_TEMPORAL names is never passed over in silence', async () => {
  temporal(join(folder, 'bin', 'temporal'), GOOD);
  const environment = machine({ PAWL_TEMPORAL: join(folder, 'nowhere') });
  await expect(resolveTemporal(environment, offline)).rejects.toMatchObject({
    type: 'SetupFailed',
    message: expect.stringContaining('nowhere is not installed'),
    hint: expect.stringContaining('unset it'),
  });
});

test('`temporal` on PATH is taken, and nothing is brought', async () => {
  const found = temporal(join(folder, 'bin', 'temporal'), GOOD);
  await expect(resolveTemporal(machine(), offline)).resolves.toMatchObject({ path: found, server: '1.29.1' });
  expect(existsSync(join(folder, 'pawl'))).toBe(false);
});

test('one on PATH that is too old is passed over, and the next way is tried', async () => {
  temporal(join(folder, 'bin', 'temporal'), OLD);
  go(GOOD);
  await expect(resolveTemporal(machine(), offline)).resolves.toMatchObject({ way: 'go install' });
});

test('what Go has built is in the cache, so the second run builds nothing', async () => {
  go(GOOD);
  const first = await resolveTemporal(machine(), offline);
  expect(first).toMatchObject({ way: 'go install', path: join(folder, 'pawl/temporal/1.5.1/temporal') });
  const second = await resolveTemporal(machine(), offline);
  expect(second).toMatchObject({ way: "Pawl's cache", path: first.path });
  expect(readFileSync(join(folder, 'go.calls'), 'utf8')).toBe(
    'install github.com/temporalio/cli/cmd/temporal@v1.5.1\n',
  );
  expect(readdirSync(join(folder, 'pawl/temporal'))).toEqual(['1.5.1']);
});

test('two processes that need it at once build it once', async () => {
  go(GOOD);
  const script = `
    import { readEnvironment } from ${JSON.stringify(new URL('../../infra/setup/environment.ts', import.meta.url).href)};
    import { resolveTemporal } from ${JSON.stringify(new URL('../../infra/setup/temporal.ts', import.meta.url).href)};
    console.log((await resolveTemporal(readEnvironment(), async () => ({ because: 'offline' }))).path);`;
  const resolve = () =>
    runCommand(process.execPath, ['--input-type=module-typescript', '-e', script], { env: machine().variables });
  const [one, two] = await Promise.all([resolve(), resolve()]);
  expect(one.failed ?? two.failed).toBeNull();
  for (const { output } of [one, two]) expect(output).toContain(join(folder, 'pawl/temporal/1.5.1/temporal'));
  expect(readFileSync(join(folder, 'go.calls'), 'utf8').trim().split('\n')).toHaveLength(1);
});

test('when every way fails, the error names each, why it failed, and what to do', async () => {
  temporal(join(folder, 'bin', 'temporal'), OLD);
  noGo();
  const error = await resolveTemporal(machine(), offline).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ type: 'SetupFailed', hint: expect.stringContaining('PAWL_TEMPORAL') });
  const message = String(error);
  expect(message).toContain('`temporal` on PATH: ');
  expect(message).toContain('brings server 1.25.0; Pawl needs 1.29.0 or later');
  expect(message).toContain("Pawl's cache: there is no ");
  expect(message).toContain('download: there is no network');
  expect(message).toContain('go install: go ended with exit code 1\n    proxy: connection refused');
  expect(readdirSync(join(folder, 'pawl/temporal'))).toEqual(['1.5.1']);
});

test.each([
  ['prints something else', "echo 'temporal, adjective'", 'is not the Temporal CLI'],
  ['fails', 'exit 3', 'exit code 3'],
])('a binary that %s is refused with the reason', async (_, body, because) => {
  await expect(inspectBinary(program(join(folder, 'tools', 'odd'), body))).resolves.toContain(because);
});

test('the real binary of this machine passes', async () => {
  const found = await resolveTemporal(readEnvironment());
  expect(found.server).toMatch(/^1\.(29|[3-9]\d)\./);
});
