import type { EncoderPool } from '../../ml/session/pool.ts';
import type { Serve } from './parity.ts';

type Side = 'query' | 'document';

/** What a pool computes of the rows of a probe: by the adapter in use, or by the one that is named for each side. */
export const serving =
  (pool: EncoderPool, named?: Readonly<Record<Side, string | null>>): Serve =>
  async (rows, lengths) => {
    const by = (side: Side) => (named ? { adapter: named[side] } : {});
    const results: Float32Array[] = [];
    for (const row of rows) {
      results.push(
        'pair' in row
          ? await pool.score([row.pair], { maxLength: lengths.query + lengths.document, ...by('query') })
          : await pool.encode([row.text], { side: row.side, maxLength: lengths[row.side], ...by(row.side) }),
      );
    }
    return results;
  };
