/** The processes whose CPU time is measured: a worker of each side, and the Temporal server. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PawlError } from '../../contracts/failures.ts';
import type { SideSetup } from './sides.ts';

const entry = fileURLToPath(new URL('worker.ts', import.meta.url));
/** Linux counts a process's time in hundredths of a second. */
const TICK_MS = 10;

export interface MeasuredProcess {
  cpuMs(): Promise<number>;
}

export const startWorker = async (setup: SideSetup): Promise<MeasuredProcess & { stop(): void }> => {
  const child = fork(entry, [JSON.stringify(setup)]);
  await answer(child);
  return {
    cpuMs: async () => {
      child.send('cpu');
      const { user, system } = (await answer(child)) as NodeJS.CpuUsage;
      return (user + system) / 1_000;
    },
    stop: () => child.kill('SIGKILL'),
  };
};

const answer = async (child: ChildProcess): Promise<unknown> => {
  const gone = new AbortController();
  const left = () => gone.abort();
  child.once('exit', left);
  try {
    const [message] = await once(child, 'message', { signal: gone.signal });
    return message;
  } catch (cause) {
    throw new PawlError('Unavailable', 'A worker of the benchmark has ended.', { cause });
  } finally {
    child.off('exit', left);
  }
};

export const serverProcess = (pid: number): MeasuredProcess => ({
  cpuMs: async () => {
    // The name, in parentheses, may hold spaces; what follows it is counted from field 3.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  },
});
