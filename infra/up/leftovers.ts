import { setTimeout as pause } from 'node:timers/promises';
import { startOf } from '../setup/lock.mjs';
import { readLeftUpFile, removeUpFile } from './up-file.ts';

/**
 * Ends what a `pawl up` that was killed left running: two Temporal servers on one database file would both fail.
 * A process number may belong to someone else by now, so only a process that started when the file says is ended.
 */
export async function endLeftovers(state: string): Promise<void> {
  const left = readLeftUpFile(state);
  if (!left) return;
  for (const [name, pid] of Object.entries(left.children)) {
    const started = left.started[name];
    if (!started || startOf(pid) !== started) continue;
    process.kill(pid, 'SIGKILL');
    while (startOf(pid) === started) await pause(20);
  }
  removeUpFile(state);
}
