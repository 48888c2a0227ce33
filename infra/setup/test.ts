/** `npm test [-- what vitest takes]`: brings what the tests need, runs them, and ends with one line that can be counted on. */
import { parseCLI, startVitest } from 'vitest/node';
import { PawlError } from '../../contracts/failures.ts';
import { readEnvironment } from './environment.ts';
import { resolvePostgres } from './postgres.ts';
import { resolveProgram } from './program.ts';
import { resolvePython } from './python.ts';
import { resolveTemporal } from './temporal.ts';
import { type Counts, countsReporter, lastLine } from './test-counts.ts';
import { resolveS3Server } from './test-s3.ts';
import { resolveTestServer } from './test-server.ts';

const environment = readEnvironment();
const missing: string[] = [];

await bring('Temporal', () => resolveTemporal(environment));
await bring('Time-skipping test server', () => resolveTestServer(environment));
await bring('Python with temporalio', () => resolvePython(environment, 'temporalio'));
await bring('Python with onnxruntime', () => resolvePython(environment, 'onnxruntime'));
await bring('Chromium', () => resolveProgram('browser', environment));
await bring('PostgreSQL', () => resolvePostgres(environment));
await bring('Redis', () => resolveProgram('redis', environment));
await bring('S3 server', () => resolveS3Server(environment));
await bring('ssh-agent', () => resolveProgram('sshAgent', environment));

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const { filter, options } = parseCLI(['vitest', ...process.argv.slice(2)]);
const vitest = await startVitest('test', filter, {
  ...options,
  watch: false,
  reporters: [environment.ci ? 'dot' : 'default', countsReporter(counts)],
});
await vitest.close();

if (environment.qdrant === null) {
  const mend = 'Set QDRANT_URL to a server that may be written to; no registry carries one.';
  process.stdout.write(`Not run: the contract of chunk indexes against Qdrant.\n  ${mend}\n`);
}
for (const line of missing) process.stdout.write(`${line}\n`);
process.stdout.write(`${lastLine(counts)}\n`);
// CI must have every component: there a missing one is a failure, elsewhere a remark.
const incomplete = environment.ci && missing.length > 0;
process.exit(counts.failed > 0 || counts.passed === 0 || incomplete ? 1 : 0);

async function bring(name: string, find: () => Promise<unknown>): Promise<void> {
  try {
    await find();
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    missing.push(`Missing: ${name}. ${error.message}\n  ${error.hint}`);
  }
}
