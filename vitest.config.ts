import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** A kind of test is a folder of test/ that holds `*.test.ts`. */
const kinds = globSync('test/*/')
  .map((folder) => folder.replace(/^test\//, ''))
  .filter((kind) => globSync(`test/${kind}/**/*.test.ts`).length > 0);

/** Whole-system tests come last: they take what the machine has. */
const LAST = ['e2e', 'abuse'];

export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    // What the shell of a developer holds is a store of theirs: each test names its own.
    env: { PAWL_STORE: '' },
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 30_000,
    projects: kinds.map((kind) => ({
      extends: true,
      test: {
        name: kind,
        include: [`test/${kind}/**/*.test.ts`],
        sequence: { groupOrder: LAST.indexOf(kind) + 1 },
      },
    })),
  },
});
