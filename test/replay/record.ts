/**
 * Records the histories in test/histories anew, on a real dev server, with the real workflows:
 *
 *     node test/replay/record.ts                          # all of them
 *     node test/replay/record.ts improvementCycle-killed  # those whose names begin so
 *
 * Run it when a path is added, and commit what it writes. A history that no longer replays is not a reason to record it
 * again: cycles like it may be running somewhere. That is what `patched` is for.
 */
import { startVitest } from 'vitest/node';

const wanted = process.argv.slice(2);
const vitest = await startVitest('test', [], {
  config: false,
  watch: false,
  include: ['test/replay/recording.ts'],
  globalSetup: 'test/support/global-setup.ts',
  testTimeout: 60_000,
  hookTimeout: 60_000,
  ...(wanted.length > 0 && { testNamePattern: `(${wanted.join('|')})` }),
});
await vitest.close();
