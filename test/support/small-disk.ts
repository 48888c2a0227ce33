import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const mount = (folder: string): boolean =>
  process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status === 0;
const unmount = (folder: string): void => {
  // Lazily, for what still holds a file open must not leave the mount behind.
  spawnSync('umount', ['-l', folder]);
  rmdirSync(folder);
};

/** Only root may mount; a test that needs a small disk is skipped, and shown as skipped, for anyone else. */
export const canMount: boolean = (() => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-disk-'));
  const mounted = mount(folder);
  if (mounted) unmount(folder);
  else rmdirSync(folder);
  return mounted;
})();

export interface SmallDisk {
  readonly folder: string;
  /** Leaves so many bytes free. */
  fill(free?: number): void;
  empty(): void;
}

/** A disk of 1 MiB that is there for one test. */
export const smallDisk = (): SmallDisk => {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-disk-'));
  mount(folder);
  onTestFinished(() => unmount(folder));
  const ballast = join(folder, 'ballast');
  const empty = (): void => rmSync(ballast, { force: true });
  return {
    folder,
    empty,
    fill: (free = 0) => {
      empty();
      for (let size = 1_048_576 - free; size > 0; size -= 4_096) {
        try {
          writeFileSync(ballast, Buffer.alloc(size));
          return;
        } catch {
          empty(); // What else lies on the disk takes room too: a little less.
        }
      }
    },
  };
};
