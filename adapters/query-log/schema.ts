/**
 * The file of served queries, and of what people told about the answers: `metrics.db`.
 *
 * What was told about an answer goes with it, whoever deletes it and why; and so does the exposure of the subject whom it
 * exposed. A judgement is about no answer: it stays.
 */
export const METRICS_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE queries (
    at         REAL NOT NULL,
    service    TEXT NOT NULL,
    variant    TEXT NOT NULL,
    query      TEXT NOT NULL,
    ranked     TEXT NOT NULL CHECK (json_valid(ranked)),
    latency_ms REAL NOT NULL,
    error      TEXT,
    cost       REAL NOT NULL
  ) STRICT;
  CREATE INDEX queries_of_service ON queries (service, at);
  CREATE INDEX queries_by_age ON queries (at);
  `,
  `
  ALTER TABLE queries ADD COLUMN subject TEXT;
  CREATE INDEX queries_of_subject ON queries (subject) WHERE subject IS NOT NULL;
  `,
  `
  ALTER TABLE queries ADD COLUMN answer TEXT;
  ALTER TABLE queries ADD COLUMN tenant TEXT;
  ALTER TABLE queries ADD COLUMN experiment TEXT;
  ALTER TABLE queries ADD COLUMN teams TEXT CHECK (teams IS NULL OR json_valid(teams));
  CREATE UNIQUE INDEX queries_of_answer ON queries (answer);
  CREATE TABLE feedback (
    seq     INTEGER PRIMARY KEY,
    at      REAL NOT NULL,
    tenant  TEXT NOT NULL,
    key     TEXT NOT NULL,
    kind    TEXT NOT NULL,
    answer  TEXT NOT NULL REFERENCES queries (answer) ON DELETE CASCADE,
    body    TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (tenant, key)
  ) STRICT;
  CREATE INDEX feedback_of_answer ON feedback (answer);
  CREATE TABLE judgements (
    seq      INTEGER PRIMARY KEY,
    at       REAL NOT NULL,
    tenant   TEXT NOT NULL,
    key      TEXT NOT NULL,
    service  TEXT NOT NULL,
    query    TEXT NOT NULL,
    document TEXT NOT NULL,
    grade    REAL NOT NULL,
    given_by TEXT,
    subject  TEXT,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (tenant, key)
  ) STRICT;
  CREATE INDEX judgements_of_service ON judgements (service, at);
  CREATE INDEX judgements_of_subject ON judgements (subject) WHERE subject IS NOT NULL;
  `,
  `
  ALTER TABLE queries ADD COLUMN of_answer TEXT;
  ALTER TABLE queries ADD COLUMN mirrored INTEGER NOT NULL DEFAULT 0 CHECK (mirrored IN (0, 1));
  `,
  `
  ALTER TABLE queries ADD COLUMN phase REAL;
  CREATE TABLE exposures (
    service    TEXT NOT NULL,
    experiment TEXT NOT NULL,
    subject    TEXT NOT NULL,
    variant    TEXT NOT NULL,
    at         REAL NOT NULL,
    phase      REAL NOT NULL,
    answer     TEXT NOT NULL UNIQUE REFERENCES queries (answer) ON DELETE CASCADE,
    PRIMARY KEY (service, experiment, subject, variant)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX exposures_by_time ON exposures (service, experiment, at, subject);
  DROP INDEX queries_of_subject;
  CREATE INDEX queries_of_subject ON queries (subject, at) WHERE subject IS NOT NULL;
  CREATE INDEX queries_of_nobody ON queries (service, experiment, at)
    WHERE subject IS NULL AND experiment IS NOT NULL AND of_answer IS NULL;
  `,
];
