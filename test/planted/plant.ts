/**
 * A planted bug is shown twice: nothing is found in the code as it is, and in the copy with the bug what is named here.
 * The first keeps the second honest: a scenario that always finds something shows nothing.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RuleName } from '../../check/check.ts';
import { type Code, codeWith, type Edit } from './copies.ts';

export interface Plant {
  readonly bug: string;
  readonly edits: readonly Edit[];
  /** A short real run; answers with what was found: broken rules of the checker, or what was seen otherwise. */
  readonly run: (code: Code) => Promise<readonly string[]>;
  /** What must be among it: a rule of the checker, or a sentence of the run's own. */
  readonly foundBy: RuleName | `seen: ${string}`;
}

export const describePlants = (where: string, plants: readonly Plant[]): void => {
  describe(where, () => {
    let asItIs: Code;
    /** Plants that share a run share what it finds in the code as it is. */
    const found = new Map<Plant['run'], Promise<readonly string[]>>();
    beforeAll(() => {
      asItIs = codeWith([]);
    });
    afterAll(() => asItIs.remove());

    test.each(plants)('$bug is found: $foundBy', async ({ edits, run, foundBy }) => {
      const clean = found.get(run) ?? run(asItIs);
      found.set(run, clean);
      expect(await clean).toEqual([]);
      const planted = codeWith(edits);
      try {
        expect(await run(planted)).toContain(foundBy);
      } finally {
        planted.remove();
      }
    });
  });
};
