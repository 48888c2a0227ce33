import type { Generated } from 'kysely';
import type { ExposureColumns, ServedColumns } from './rows.ts';

/**
 * The tables of served queries, and of what people told about the answers (schema.ts has them for SQLite).
 *
 * What was told about an answer goes with it, whoever deletes it and why; and so does the exposure of the subject whom it
 * exposed. A judgement is about no answer: it stays. Step n brings schema version n to n + 1; a step that has shipped never
 * changes.
 */
export const POSTGRES_METRICS_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE queries (
    n          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         double precision NOT NULL,
    service    text COLLATE "C" NOT NULL,
    variant    text COLLATE "C" NOT NULL,
    query      text NOT NULL,
    ranked     text NOT NULL CHECK (ranked::json IS NOT NULL),
    latency_ms double precision NOT NULL,
    error      text,
    cost       double precision NOT NULL,
    subject    text COLLATE "C",
    answer     text COLLATE "C" UNIQUE,
    tenant     text COLLATE "C",
    experiment text COLLATE "C",
    teams      text CHECK (teams IS NULL OR teams::json IS NOT NULL),
    of_answer  text COLLATE "C",
    mirrored   smallint NOT NULL CHECK (mirrored IN (0, 1)),
    phase      double precision
  );
  CREATE INDEX queries_of_service ON queries (service, at, n);
  CREATE INDEX queries_by_age ON queries (at, n);
  CREATE INDEX queries_of_subject ON queries (subject, at) WHERE subject IS NOT NULL;
  CREATE INDEX queries_of_nobody ON queries (service, experiment, at)
    WHERE subject IS NULL AND experiment IS NOT NULL AND of_answer IS NULL;

  CREATE TABLE exposures (
    service    text COLLATE "C" NOT NULL,
    experiment text COLLATE "C" NOT NULL,
    subject    text COLLATE "C" NOT NULL,
    variant    text COLLATE "C" NOT NULL,
    at         double precision NOT NULL,
    phase      double precision NOT NULL,
    answer     text COLLATE "C" NOT NULL UNIQUE REFERENCES queries (answer) ON DELETE CASCADE,
    PRIMARY KEY (service, experiment, subject, variant)
  );
  CREATE INDEX exposures_by_time ON exposures (service, experiment, at, subject);

  CREATE TABLE feedback (
    seq    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     double precision NOT NULL,
    tenant text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,
    kind   text NOT NULL,
    answer text COLLATE "C" NOT NULL REFERENCES queries (answer) ON DELETE CASCADE,
    body   text NOT NULL CHECK (body::json IS NOT NULL),
    UNIQUE (tenant, key)
  );
  CREATE INDEX feedback_of_answer ON feedback (answer);

  CREATE TABLE judgements (
    seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       double precision NOT NULL,
    tenant   text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    service  text COLLATE "C" NOT NULL,
    query    text NOT NULL,
    document text NOT NULL,
    grade    double precision NOT NULL,
    given_by text,
    subject  text COLLATE "C",
    body     text NOT NULL CHECK (body::json IS NOT NULL),
    UNIQUE (tenant, key)
  );
  CREATE INDEX judgements_of_service ON judgements (service, at);
  CREATE INDEX judgements_of_subject ON judgements (subject) WHERE subject IS NOT NULL;

  -- What people wrote is erased with the rows: the server must keep no samples of it for its planner.
  ALTER TABLE queries ALTER COLUMN query SET STATISTICS 0;
  ALTER TABLE judgements ALTER COLUMN query SET STATISTICS 0, ALTER COLUMN body SET STATISTICS 0;

  -- By which a home sees whether it names subjects under the secret that all others do.
  CREATE TABLE subject_secret (
    id   integer PRIMARY KEY CHECK (id = 1),
    mark text NOT NULL
  );

  -- Locked by whoever takes feedback in, so that a key is looked for and given in one turn; it has no rows.
  CREATE TABLE feedback_turn (id integer PRIMARY KEY);
  `,
];

export interface MetricsTables {
  queries: ServedColumns & { readonly n: Generated<number> };
  exposures: ExposureColumns;
  subject_secret: { readonly id: number; readonly mark: string };
  feedback: {
    readonly seq: Generated<number>;
    readonly at: number;
    readonly tenant: string;
    readonly key: string;
    readonly kind: string;
    readonly answer: string;
    readonly body: string;
  };
  judgements: {
    readonly seq: Generated<number>;
    readonly at: number;
    readonly tenant: string;
    readonly key: string;
    readonly service: string;
    readonly query: string;
    readonly document: string;
    readonly grade: number;
    readonly given_by: string | null;
    readonly subject: string | null;
    readonly body: string;
  };
}

/** What opens them, for whichever of their stores. */
export const METRICS_PART = { part: 'metrics', migrations: POSTGRES_METRICS_MIGRATIONS } as const;
