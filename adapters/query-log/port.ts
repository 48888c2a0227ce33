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
}

export interface QueryLog {
  append(rows: readonly ServedQuery[]): Promise<void>;
  /** Oldest first; `from` inclusive, `to` exclusive, in ms. With a limit, the newest of the window. */
  read(filter: {
    service: string;
    from: number;
    to: number;
    variant?: string;
    limit?: number;
  }): Promise<readonly ServedQuery[]>;
  /** Rows older than `before` go. */
  prune(before: number): Promise<number>;
  close(): void;
}
