import type { Reporter, TestModule } from 'vitest/node';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** A file that cannot be loaded and an error outside every test each count as one failure. */
export function countsReporter(counts: Counts): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]) {
      counts.failed += unhandled.length;
      for (const module of modules) {
        counts.failed += module.errors().length;
        for (const test of module.children.allTests()) {
          const { state } = test.result();
          counts[state === 'pending' ? 'failed' : state] += 1;
        }
      }
    },
  };
}

export const lastLine = ({ passed, failed, skipped }: Counts): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
