/** One Temporal server and one bundle for the whole run; neither when no test of the run needs them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolveTemporal } from '../../infra/setup/temporal.ts';
import { resolveTestServer } from '../../infra/setup/test-server.ts';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import { freePorts } from '../../infra/temporal/ports.ts';
import { startDevServer } from '../../infra/temporal/server.ts';

/** The kinds whose tests talk to no server, or start their own. */
const ALONE = new Set(['unit', 'setup', 'contract', 'activity', 'gateway', 'replay', 'check']);

export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const needsServer = (file: string) => !ALONE.has(basename(dirname(file))) || basename(file) === 'recording.ts';
  if (!project.vitest.state.getPaths().some(needsServer)) return undefined;

  const environment = readEnvironment();
  const { path: binary } = await resolveTemporal(environment);
  const folder = mkdtempSync(join(tmpdir(), 'pawl-test-'));
  const [port = 0] = await freePorts(1);
  const server = await startDevServer({
    binary,
    host: '127.0.0.1',
    port,
    uiPort: null,
    namespace: 'default',
    database: join(folder, 'temporal.db'),
    log: join(folder, 'temporal.log'),
  });
  project.provide('temporalAddress', server.address);
  project.provide('temporalBinary', binary);
  project.provide('workflowBundle', await workflowBundle());
  project.provide('timeSkippingServer', await resolveTestServer(environment).catch(() => null));
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
