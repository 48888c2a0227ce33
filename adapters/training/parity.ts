/**
 * The proof that an adapter is served as it was trained.
 *
 * 1. What the training's own graph computes of some texts is kept beside the adapter, when it is registered.
 * 2. Whoever serves computes the same texts in its own way and compares: at registration, and again at every load. Further
 *    apart than PARITY is refused.
 * 3. It is about fp32. A quantised model is another variant, judged by what it ranks.
 */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { PARITY } from '../../contracts/model.ts';

const row = z.union([
  z.object({ side: z.enum(['query', 'document']), text: z.string() }),
  z.object({ pair: z.tuple([z.string(), z.string()]) }),
]);
export type ProbeRow = z.infer<typeof row>;

export const parityProbe = z.object({
  v: z.literal(1),
  lengths: z.object({ query: z.number(), document: z.number() }),
  rows: z.array(row).min(1),
  /** What the training computes of each row. */
  trained: z.array(z.array(z.number())),
});
export type ParityProbe = z.infer<typeof parityProbe>;

/** Of each row, as whoever serves computes it. */
export type Serve = (
  rows: readonly ProbeRow[],
  lengths: ParityProbe['lengths'],
) => Promise<readonly ArrayLike<number>[]>;

/** Largest difference between what is served and what was trained. One that is no number is infinitely far. */
export const parityOf = ({ trained }: Pick<ParityProbe, 'trained'>, served: readonly ArrayLike<number>[]): number => {
  if (served.length !== trained.length) return Number.POSITIVE_INFINITY;
  let furthest = 0;
  for (const [at, before] of trained.entries()) {
    const now = served[at] ?? [];
    if (now.length !== before.length) return Number.POSITIVE_INFINITY;
    for (const [place, value] of before.entries()) {
      const apart = Math.abs((now[place] ?? Number.NaN) - value);
      if (!(apart <= furthest)) furthest = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart;
    }
  }
  return furthest;
};

/** Refuses an adapter that is not served as it was trained; answers with how far apart the two are. */
export const proveParity = async (name: string, probe: ParityProbe, serve: Serve): Promise<number> => {
  const parity = parityOf(probe, await serve(probe.rows, probe.lengths));
  if (parity <= PARITY) return parity;
  throw new PawlError('Refused', `${name} is served ${parity.toExponential(1)} apart from how it was trained.`, {
    hint: `At most ${PARITY} is allowed. The base model, the adapter's files or the runtime are not what they were: check them with \`pawl model show\`, or train it again.`,
  });
};
