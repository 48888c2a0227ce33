import { runCommand } from './command.mjs';

/** The oldest server that Pawl was tried on. */
export const OLDEST_SERVER = '1.29.0';
/** The release of the CLI that Pawl brings when it finds none; later ones cannot be built by `go install`. */
export const CLI_RELEASE = '1.5.1';

export interface TemporalBinary {
  readonly path: string;
  /** Of the CLI, and of the server inside. A CLI built from source calls itself 0.0.0-DEV. */
  readonly cli: string;
  readonly server: string;
}

/** A usable binary, or a sentence that says why this one is not. */
export async function inspectBinary(path: string): Promise<TemporalBinary | string> {
  const { failed, output } = await runCommand(path, ['--version'], { timeoutMs: 30_000 });
  if (failed) return failed;
  const [, cli, server] = /temporal version (\S+) \(Server (\d+\.\d+\.\d+)/.exec(output) ?? [];
  if (!cli || !server)
    return `${path} is not the Temporal CLI; its --version says ${JSON.stringify(output.slice(0, 80))}`;
  return isOlder(server, OLDEST_SERVER)
    ? `${path} brings server ${server}; Pawl needs ${OLDEST_SERVER} or later`
    : { path, cli, server };
}

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  const differs = a?.findIndex((part, i) => part !== b?.[i]) ?? -1;
  return differs >= 0 && (a?.[differs] ?? 0) < (b?.[differs] ?? 0);
}
