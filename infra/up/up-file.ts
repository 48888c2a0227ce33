/** `.pawl/up.json`: what a running `pawl up` tells the other commands of the same home. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const upFile = z.object({
  pid: z.int().positive(),
  startedAt: z.string(),
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().nullable() }),
  gateway: z.string().nullable(),
  children: z.record(z.string(), z.int().positive()),
  /** When each child started, as the system counts it: a process number alone may be someone else's by now. */
  started: z.record(z.string(), z.string().nullable()),
});
export type UpFile = z.infer<typeof upFile>;

const path = (state: string): string => join(state, 'up.json');

/** What runs here now; null when nothing does, also when it died without tidying up. */
export function readUpFile(state: string): UpFile | null {
  const found = read(state);
  return found && isAlive(found.pid) ? found : null;
}

/** What a `pawl up` that was killed had started. Ask only while holding the lock of `pawl up`. */
export const readLeftUpFile = (state: string): UpFile | null => read(state);

function read(state: string): UpFile | null {
  try {
    return upFile.parse(JSON.parse(readFileSync(path(state), 'utf8')));
  } catch {
    // Absent, or of another version: nothing that can be used.
    return null;
  }
}

export function writeUpFile(state: string, content: UpFile): void {
  const temporary = `${path(state)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(content, null, 2));
  renameSync(temporary, path(state));
}

export const removeUpFile = (state: string): void => rmSync(path(state), { force: true });

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
