import { z } from 'zod';
import { proverOf } from '../../adapters/ledger/proofs.ts';
import { PawlError } from '../../contracts/failures.ts';
import { command } from '../command.ts';

const number = z.coerce.number('expected a number').int().positive();

export const auditProve = command({
  name: 'audit prove',
  about: 'print the proof that a row is in the ledger, or that the ledger only grew',
  details:
    'JSON in either case. With a row: the row, the text that is hashed, its place, the sibling hashes, and the signed ' +
    'checkpoint; docs/guide/audit.md has 20 lines of Python that check it. With --from: that the head of today continues ' +
    'the head of that size.',
  arguments: [['[row]', 'its number, as `pawl audit show` shows it']],
  options: [['--from <size>', 'rows of the earlier head']],
  examples: ['pawl audit prove 17 > proof.json', 'pawl audit prove --from 1000'],
  input: z.object({ row: number.optional(), from: number.optional() }),
  run: async ({ row: seq, from }, { control, out }) => {
    if ((seq === undefined) === (from === undefined)) {
      throw new PawlError('Usage', 'Say either a row or --from, the size of an earlier head', {
        hint: '`pawl audit show` shows rows with their numbers.',
      });
    }
    const prover = await out.progress('Building the tree', () => proverOf(control));
    if (from !== undefined) return replyOf(prover.consistency(from));
    const [row] = await control.ledger({ afterSeq: (seq ?? 0) - 1, limit: 1 });
    if (row?.seq === seq && row) return replyOf(prover.inclusion(row));
    throw new PawlError('NotFound', `The ledger has no row ${seq}; it has ${prover.head.size}.`, {
      hint: '`pawl audit show` shows rows with their numbers.',
    });
  },
});

const replyOf = (proof: object) => ({ data: proof, lines: JSON.stringify(proof, null, 2).split('\n') });
