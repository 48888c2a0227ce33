/**
 * Looks at a ledger row by row, and says what is wrong with which.
 *
 * 1. Nothing is believed but the key that was pinned and the heads that others noted. The rows' own hashes and the words of
 *    their neighbours are witnesses, whom a signed root convicts or clears.
 * 2. It holds no more than what is suspicious, so that a ledger of any length can be looked at.
 */
import { type LedgerHead, type LedgerRow, NO_ROW } from '../../contracts/ledger.ts';
import { peakRanges, rootOf } from '../../domain/merkle.ts';
import { EMPTY_ROOT, hashOfLeaf, joined, leafOf } from './hashing.ts';
import { type NoteKey, openCheckpoint, type Signature } from './signed-note.ts';
import { TwoTrees } from './two-trees.ts';

export const DAMAGES = ['edited', 'missing', 'reordered', 'truncated', 'forged', 'head'] as const;
export interface Finding {
  readonly damage: (typeof DAMAGES)[number];
  /** The row, or the first of several; null where it is the head. */
  readonly seq: number | null;
  readonly upTo: number | null;
  readonly because: string;
}

/** A head that somebody noted earlier, and where. */
export interface KnownHead {
  readonly size: number;
  readonly root: string;
  readonly from: string;
}

export interface AuditedRow {
  readonly seq: number;
  readonly row: LedgerRow | null;
  readonly leaf: string | null;
  readonly problem: string | null;
}

export interface JudgedHead extends KnownHead {
  /** null where too much is missing to tell. */
  readonly holds: boolean | null;
}

export interface AuditReport {
  readonly rows: number;
  readonly head: LedgerHead | null;
  readonly signature: Signature | 'not checked';
  readonly known: readonly JudgedHead[];
  readonly findings: readonly Finding[];
}

/** Among so many damaged rows their places are still tried out. */
const MOST_MOVED = 200;

interface Odd {
  readonly row: LedgerRow;
  readonly problem: string | null;
}

export class LedgerAudit {
  readonly #key: NoteKey | null;
  readonly #known: readonly KnownHead[];
  readonly #trees = new TwoTrees();
  readonly #findings: Finding[] = [];
  /** Rows whose content does not have the hash that they bear. */
  readonly #odd: Odd[] = [];
  /** Rows whose hash is sound, and is not the one that the row after them names. */
  readonly #rewritten: Array<{ readonly seq: number; readonly told: string }> = [];
  readonly #gaps = new Set<number>();
  readonly #keyChanges: number[] = [];
  #head: LedgerHead | null = null;
  #peaks: readonly KnownHead[] = [];
  #rows = 0;
  #next = 1;
  /** Hash of the row before, where that row is sound. */
  #last: string | null = NO_ROW;

  constructor({ key, known = [] }: { key: NoteKey | null; known?: readonly KnownHead[] }) {
    this.#key = key;
    this.#known = known;
    for (const { size } of known) this.#trees.want(size);
  }

  /**
   * The head that the rows will be compared with; to be told before the rows after it, and anew when it has grown. Its
   * peaks, where the store is at hand, tell where a ledger that was made anew begins to differ.
   */
  expect(head: LedgerHead | null, peaks: readonly string[] = []): void {
    this.#head = head;
    const signed = head && openCheckpoint(head.checkpoint);
    this.#peaks = signed ? headsOf(signed, peaks) : [];
    for (const { size } of [...(signed ? [signed] : []), ...this.#peaks]) this.#trees.want(size);
  }

  add({ seq, row, leaf, problem }: AuditedRow): void {
    this.#rows += 1;
    if (seq < this.#next) {
      this.#outOfOrder(seq);
      return;
    }
    for (; this.#next < seq; this.#next += 1) {
      this.#gaps.add(this.#next);
      this.#trees.add(null);
      this.#last = null;
    }
    this.#next += 1;
    this.#trees.add(row);
    const sound = row !== null && leaf !== null && problem === null && hashOfLeaf(leaf) === row.hash;
    if (!row) this.#found('edited', seq, problem ?? 'it cannot be read');
    else if (!sound) this.#odd.push({ row, problem });
    else if (this.#last !== null && row.prev !== this.#last) this.#rewritten.push({ seq: seq - 1, told: row.prev });
    if (row?.kind === 'ledger key changed') this.#keyChanges.push(seq);
    this.#last = sound ? row.hash : null;
  }

  end(): AuditReport {
    const head = this.#head;
    this.#trees.end();
    const signature = this.#checkHead(head);
    const opened = head && openCheckpoint(head.checkpoint);
    const signed = opened && this.#judged({ size: opened.size, root: opened.root, from: 'the signed head' });
    const known = this.#known.map((one) => this.#judged(one));
    const ownIsTrue = signed !== null && this.#trees.at(signed.size)?.own === signed.root;
    this.#nameOdd();
    this.#nameRewritten(ownIsTrue);
    this.#nameGaps();
    this.#nameCut(signed?.size ?? null, [...(signed ? [signed] : []), ...known]);
    this.#nameUnexplained([...(signed ? [signed] : []), ...known], signature === 'good' ? this.#peaks : []);
    const findings = this.#findings.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    return { rows: this.#rows, head, signature, known, findings };
  }

  #outOfOrder(seq: number): void {
    const late = this.#gaps.delete(seq);
    if (late) this.#found('reordered', seq, `it stands after row ${this.#next - 1}`);
    else this.#found('forged', seq, 'a row with this number stands there already');
  }

  #checkHead(head: LedgerHead | null): AuditReport['signature'] {
    const opened = head && openCheckpoint(head.checkpoint);
    if (!head || !opened) {
      this.#foundHead('there is no head, or its checkpoint cannot be read');
      return 'not checked';
    }
    if (opened.size !== head.size || opened.root !== head.root) {
      this.#foundHead(
        `it says size ${head.size}, root ${head.root}; its checkpoint says ${opened.size}, ${opened.root}`,
      );
    }
    if (!this.#key) return 'not checked';
    const signature = opened.signature(this.#key);
    if (signature === 'none') {
      this.#foundHead('it bears no signature: the key of the ledger could not be read when it was written');
    } else if (signature === 'false') {
      this.#foundHead('its signature is false: its size or root was changed by someone who does not have the key');
    } else if (signature === 'of another key') {
      const [at] = this.#keyChanges.slice(-1);
      this.#foundHead(
        at === undefined
          ? 'it is signed with another key than the one that is pinned, and no row tells of a change: this ledger was made anew'
          : `it is signed with another key than the one that is pinned; row ${at} says that the key was lost. Find out whether it was`,
      );
    }
    return signature;
  }

  #judged(one: KnownHead): JudgedHead {
    const roots = this.#trees.at(one.size);
    if (!roots || (roots.own === null && roots.told === null)) return { ...one, holds: null };
    return { ...one, holds: roots.own === one.root || roots.told === one.root };
  }

  #nameOdd(): void {
    const moved = this.#odd.length > MOST_MOVED ? [] : this.#odd;
    for (const { row, problem } of this.#odd) {
      const from = moved.find((other) => other.row !== row && isMoved(row, other.row))?.row.seq;
      if (from !== undefined) this.#found('reordered', row.seq, `it is what was written as row ${from}`);
      else this.#found('edited', row.seq, problem ?? 'its content does not have the hash that it bears');
    }
  }

  #nameRewritten(ownIsTrue: boolean): void {
    for (const { seq, told } of this.#rewritten) {
      if (ownIsTrue) {
        this.#found('edited', seq + 1, 'it was written anew with its hash, and names another row before it');
      } else {
        this.#found('edited', seq, `it was written anew with its hash: row ${seq + 1} says that the hash was ${told}`);
      }
    }
  }

  #nameGaps(): void {
    for (const [seq, upTo] of rangesOf(this.#gaps)) this.#found('missing', seq, 'it is not there', upTo);
  }

  #nameCut(signed: number | null, judged: readonly KnownHead[]): void {
    const there = this.#next - 1;
    const longest = judged.reduce<KnownHead | null>(
      (most, one) => (one.size > (most?.size ?? there) ? one : most),
      null,
    );
    if (longest) {
      this.#found('truncated', there + 1, `${longest.from} has ${longest.size} rows`, longest.size);
    }
    if (signed !== null && signed < there) {
      this.#found('forged', signed + 1, `the signed head has ${signed} rows only`, there);
    }
  }

  /** A chain that may be sound in itself, and is not the one whose head was signed or noted. */
  #nameUnexplained(judged: readonly JudgedHead[], peaks: readonly KnownHead[]): void {
    if (this.#findings.some(({ damage }) => damage === 'reordered')) return;
    const bySize = judged.filter(({ holds }) => holds === false).toSorted((a, b) => a.size - b.size);
    const [first] = bySize;
    if (!first) return;
    const all = [...judged, ...peaks.map((one) => this.#judged(one))];
    const upTo = Math.min(...all.filter(({ holds }) => holds === false).map(({ size }) => size));
    const intact = Math.max(0, ...all.filter(({ size, holds }) => holds && size < upTo).map(({ size }) => size));
    const because = `${first.from}, of ${first.size} rows, has another root: one of these rows was changed, put in or left out, and the chain after it made anew`;
    this.#found('forged', intact + 1, because, upTo);
  }

  #found(damage: Finding['damage'], seq: number, because: string, upTo = seq): void {
    this.#findings.push({ damage, seq, upTo, because });
  }

  #foundHead(because: string): void {
    this.#findings.push({ damage: 'head', seq: null, upTo: null, because });
  }
}

const hashOf = (row: LedgerRow): string => hashOfLeaf(leafOf(row));

/** Whether what stands in `row` is what was written as `other`: with its hash, or under the other's. */
const isMoved = (row: LedgerRow, other: LedgerRow): boolean =>
  hashOf({ ...row, seq: other.seq }) === row.hash ||
  hashOf({ ...row, seq: other.seq, prev: other.prev }) === other.hash;

/** The peaks of a head are the head itself, taken apart: heads of the sizes at which its complete trees end. */
const headsOf = ({ size, root }: { size: number; root: string }, peaks: readonly string[]): KnownHead[] => {
  const ranges = peakRanges(size);
  if (ranges.length !== peaks.length || rootOf(peaks, joined, EMPTY_ROOT) !== root) return [];
  return ranges.map(([, to], at) => {
    return { size: to, root: rootOf(peaks.slice(0, at + 1), joined, EMPTY_ROOT), from: 'the signed head, in part' };
  });
};

const rangesOf = (numbers: ReadonlySet<number>): ReadonlyArray<readonly [number, number]> => {
  const ranges: Array<[number, number]> = [];
  for (const n of numbers) {
    const open = ranges.at(-1);
    if (open && open[1] === n - 1) open[1] = n;
    else ranges.push([n, n]);
  }
  return ranges;
};
