/** `temporal-download.ts FOLDER VERSION`: lets the SDK fetch the CLI into a folder; its last line says what went wrong. */
import { Runtime } from '@temporalio/worker';

const [folder, version] = process.argv.slice(2);
if (!folder || !version) throw new Error('expected a folder and a version');

const runtime = Runtime.instance();
try {
  // The SDK downloads as part of starting a server; there is no way to ask for the file alone.
  const server = await runtime.createEphemeralServer({
    type: 'dev-server',
    exe: {
      type: 'cached-download',
      downloadDir: folder,
      version,
      ttl: 86_400_000,
      sdkName: 'sdk-typescript',
      sdkVersion: version,
    },
    ip: '127.0.0.1',
    port: null,
    uiPort: null,
    namespace: 'default',
    dbFilename: null,
    ui: false,
    log: { format: 'pretty', level: 'error' },
    extraArgs: [],
  });
  await runtime.shutdownEphemeralServer(server);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
