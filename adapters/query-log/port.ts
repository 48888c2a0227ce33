import type { SubjectAnswer } from '../../domain/ab/subject-values.ts';

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
  /** The subject is enrolled in the experiment, in the phase with this share of the challenger. Absent: it is not. */
  readonly phase?: number;
}

/** A subject that was answered by an arm of an experiment for the first time. */
export interface Exposure {
  readonly subject: string;
  readonly variant: string;
  readonly at: number;
  readonly phase: number;
}

/** An experiment, by its two arms. */
export interface Arms {
  readonly service: string;
  readonly experiment: string;
  readonly variants: readonly [string, string];
}

export interface QueryLog {
  /** The first answer that enrols a subject in an arm is its exposure, and is kept with it or not at all. */
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
  /** How many requests this variant answered or failed, by what `read` would show of it. */
  count(filter: Window & { readonly variant: string; readonly mirrored?: boolean }): Promise<number>;
  /**
   * Who was enrolled, by the order of the moment and then of the subject, from the one behind `after` on. A subject that was
   * exposed to both arms comes once, as exposed to the first.
   */
  exposures(
    page: Arms & {
      readonly after: Pick<Exposure, 'at' | 'subject'>;
      readonly to: number;
      readonly limit: number;
    },
  ): Promise<readonly Exposure[]>;
  /** The subject's oldest answers of the window, whoever gave them; neither unseen nor interleaved ones. */
  ofSubject(filter: Window & { readonly subject: string; readonly limit: number }): Promise<readonly SubjectAnswer[]>;
  /** Whether this variant gave the subject an answer of the experiment within the window. */
  answeredBy(
    filter: Window & { readonly subject: string; readonly experiment: string; readonly variant: string },
  ): Promise<boolean>;
  /** Answers of the experiment to requests that named nobody. */
  unnamed(filter: Window & { readonly experiment: string }): Promise<number>;
  /** How many subjects the service had, and `most` of them: as hashes in their order they are a random choice. */
  subjects(filter: Window & { readonly most: number }): Promise<{ count: number; some: readonly string[] }>;
  /** Rows older than `before` go, and with them what was told about these answers and whom they exposed. */
  prune(before: number): Promise<number>;
  close(): void;
}

/** `from` inclusive, `to` exclusive, in ms. */
interface Window {
  readonly service: string;
  readonly from: number;
  readonly to: number;
}
