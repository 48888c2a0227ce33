/**
 * The Java server that can skip time, for tests of timers. Its jars come through Maven, once, into Pawl's cache; a small
 * script beside them is what `TestWorkflowEnvironment.createTimeSkipping` starts.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PawlError } from '../../contracts/failures.ts';
import { runCommand } from './command.mjs';
import type { Environment } from './environment.ts';
import { withLock } from './lock.mjs';
import { withProgress } from './progress.mjs';

const RELEASE = '1.38.0';
const OLDEST_JAVA = 17;
const pom = fileURLToPath(new URL('./test-server/pom.xml', import.meta.url));

/** `exec`, so that whoever stops the script stops Java. The two flags halve the start of a short-lived process. */
const script = `#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$here/lib/*" io.temporal.testserver.TestServer "$@"
`;

/** Path of the executable. */
export async function resolveTestServer(environment: Environment): Promise<string> {
  await needJava(environment);
  const folder = join(environment.cache, 'temporal-test-server', RELEASE);
  const executable = join(folder, 'temporal-test-server');
  if (existsSync(executable)) return executable;
  return withLock(`${folder}.lock`, async () => {
    if (!existsSync(executable)) await bring(environment, folder);
    return executable;
  });
}

async function needJava(environment: Environment): Promise<void> {
  const { failed, output } = await runCommand('java', ['-version'], { env: environment.variables });
  const major = Number(/version "(\d+)/.exec(output)?.[1] ?? 0);
  if (!failed && major >= OLDEST_JAVA) return;
  const found = failed ?? `java is version ${major}`;
  throw new PawlError('SetupFailed', `The time-skipping test server needs Java ${OLDEST_JAVA} or later: ${found}.`, {
    hint: `Get it with \`apt-get install openjdk-${OLDEST_JAVA}-jre-headless\` or from https://adoptium.net.`,
  });
}

async function bring(environment: Environment, folder: string): Promise<void> {
  mkdirSync(dirname(folder), { recursive: true });
  const made = mkdtempSync(join(dirname(folder), 'new-'));
  try {
    const ended = await withProgress(`Fetching the time-skipping test server ${RELEASE} with Maven`, (detail) =>
      runCommand('mvn', ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${made}/lib`], {
        env: environment.variables,
        onLine: detail,
      }),
    );
    if (ended.failed) {
      throw new PawlError('SetupFailed', `The test server could not be fetched: ${ended.failed}.\n${ended.output}`, {
        hint: 'Get Maven with `apt-get install maven`, see that it reaches a Maven repository, and run it again.',
      });
    }
    const executable = join(made, 'temporal-test-server');
    writeFileSync(executable, script);
    chmodSync(executable, 0o755);
    renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
