/** One request that the service answered (or failed to). */
export interface ServedQuery {
  readonly at: number;
  readonly service: string;
  readonly variant: string;
  readonly query: string;
  /** Ids of the ten best documents, best first; empty when the request failed. */
  readonly ranked: readonly string[];
  readonly latencyMs: number;
  readonly error: string | null;
  /** US dollars. */
  readonly cost: number;
  /** Who asked, where the request said so: never the name itself (adapters/keys/subject-key.ts). */
  readonly subject?: string;
  /** Names this answer to those who got it, so that they can say what became of it. A row that comes again is kept once. */
  readonly answer?: string;
  /** Whose documents were searched; absent: DEFAULT_TENANT. */
  readonly tenant?: string;
  readonly experiment?: string;
  /**
   * Variant → documents that it brought in, where the answer was put together of two; `variant` is then the one that would
   * have answered otherwise. Whoever failed is not among them, and `variant` is then the one that did not.
   */
  readonly teams?: Readonly<Record<string, readonly string[]>>;
  /** The answer for which this variant was asked too: this row tells what it found by itself. Absent: it is the answer. */
  readonly of?: string;
  /** Nobody was shown any of it. */
  readonly mirrored?: true;
}

export interface QueryLog {
  append(rows: readonly ServedQuery[]): Promise<void>;
  /**
   * Oldest first; `from` inclusive, `to` exclusive, in ms. With a limit, the newest of the window.
   *
   * What was mirrored comes where it is asked for, and then alone. Otherwise it is the answers; and of one variant what it
   * found by itself, since an answer that was put together of two is of neither.
   */
  read(filter: {
    service: string;
    from: number;
    to: number;
    variant?: string;
    mirrored?: boolean;
    limit?: number;
  }): Promise<readonly ServedQuery[]>;
  /** Rows older than `before` go, and with them what was told about these answers. */
  prune(before: number): Promise<number>;
  close(): void;
}
