/** Proofs that outlive the store: whoever holds a row, its proof and the checkpoint needs nothing else to check them. */
import { PawlError } from '../../contracts/failures.ts';
import type { LedgerHead, LedgerRow } from '../../contracts/ledger.ts';
import { extendsTree, includes, type MerkleTree, merkleTree } from '../../domain/merkle.ts';
import type { ControlStore } from '../control/port.ts';
import { EMPTY_ROOT, joined, leafOf } from './hashing.ts';

export interface InclusionProof {
  readonly row: LedgerRow;
  /** The text whose hash is in the tree. */
  readonly leaf: string;
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly string[];
  readonly checkpoint: string;
}

export interface ConsistencyProof {
  readonly from: { readonly size: number; readonly root: string };
  readonly to: { readonly size: number; readonly root: string };
  readonly hashes: readonly string[];
  readonly checkpoint: string;
}

type Source = Pick<ControlStore, 'head' | 'hashes'>;

export interface Prover {
  readonly head: LedgerHead;
  inclusion(row: LedgerRow): InclusionProof;
  consistency(from: number): ConsistencyProof;
}

/** All its proofs are under one head. */
export const proverOf = async (control: Source): Promise<Prover> => {
  const head = await control.head();
  // Rows may have come since; the first ones stay what they are.
  const hashes = (await control.hashes()).slice(0, head.size);
  const tree = treeOf(hashes);
  if (tree.size !== head.size || tree.root(head.size) !== head.root) throw damaged();
  return {
    head,
    inclusion: (row) => {
      const index = hashes[row.seq - 1] === row.hash ? row.seq - 1 : hashes.indexOf(row.hash);
      if (index < 0) throw notCovered(row, head);
      const proof = { leaf: leafOf(row), index, size: head.size, hashes: tree.inclusion(index, head.size) };
      if (!includes(head.root, { ...proof, leaf: row.hash }, joined)) throw damaged();
      return { row, ...proof, checkpoint: head.checkpoint };
    },
    consistency: (size) => {
      if (!(Number.isSafeInteger(size) && size >= 1 && size <= head.size)) {
        throw new PawlError(
          'Usage',
          `The ledger has ${head.size} rows, so it grew from 1 to ${head.size}, not ${size}`,
        );
      }
      const [from, to] = [
        { size, root: tree.root(size) },
        { size: head.size, root: head.root },
      ];
      const path = tree.consistency(size, head.size);
      if (!extendsTree({ from, to, hashes: path }, joined)) throw damaged();
      return { from, to, hashes: path, checkpoint: head.checkpoint };
    },
  };
};

const treeOf = (hashes: readonly string[]): MerkleTree => {
  try {
    return merkleTree(hashes, joined, EMPTY_ROOT);
  } catch {
    throw damaged(); // A hash that is none.
  }
};

const damaged = (): PawlError =>
  new PawlError('DigestMismatch', 'The rows of the ledger are not those of its head, so nothing can be proved', {
    hint: '`pawl audit verify` says which rows are damaged.',
  });

const notCovered = ({ seq }: LedgerRow, { size }: LedgerHead): PawlError =>
  new PawlError('NotFound', `Row ${seq} is not among the ${size} rows of the head`, {
    hint: 'If it was written just now, try again. Otherwise `pawl audit verify` says what is wrong.',
  });
