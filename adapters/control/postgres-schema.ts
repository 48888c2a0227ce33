import type { Generated } from 'kysely';
import type { Latch } from '../../contracts/traffic.ts';
import type { HashedRow } from './chain.ts';

/**
 * Step n brings schema version n to n + 1; a step that has shipped never changes.
 *
 * What is JSON is kept as its text: the ledger's hashes are over it, and jsonb would spell it anew.
 */
export const POSTGRES_CONTROL_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE variants (
    n          bigint GENERATED ALWAYS AS IDENTITY,
    id         text COLLATE "C" PRIMARY KEY,
    service    text COLLATE "C" NOT NULL,
    uri        text NOT NULL,
    sha256     text NOT NULL,
    origin     text NOT NULL,
    created_at text COLLATE "C" NOT NULL
  );
  CREATE INDEX variants_of_service ON variants (service, created_at, n);

  CREATE TABLE services (
    service   text COLLATE "C" PRIMARY KEY,
    latch     text NOT NULL CHECK (latch IN ('disarmed', 'armed', 'killed')),
    because   text NOT NULL,
    epoch     bigint NOT NULL CHECK (epoch >= 0),
    promotion bigint NOT NULL CHECK (promotion >= 0),
    champion  text COLLATE "C" REFERENCES variants (id),
    gold      text COLLATE "C" REFERENCES variants (id),
    arms      text NOT NULL CHECK (arms::json IS NOT NULL)
  );
  CREATE FUNCTION services_never_fall_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.epoch < OLD.epoch OR NEW.promotion < OLD.promotion THEN
        RAISE EXCEPTION 'epoch and promotion never fall';
      END IF;
      RETURN NEW;
    END $$;
  CREATE TRIGGER services_never_fall_back BEFORE UPDATE ON services
    FOR EACH ROW EXECUTE FUNCTION services_never_fall_back();

  CREATE TABLE fleet (
    id      integer PRIMARY KEY CHECK (id = 1),
    killed  boolean NOT NULL,
    because text NOT NULL
  );
  INSERT INTO fleet VALUES (1, false, '');

  CREATE TABLE baselines (
    service text COLLATE "C" NOT NULL,
    variant text COLLATE "C" NOT NULL,
    vitals  text NOT NULL CHECK (vitals::json IS NOT NULL),
    PRIMARY KEY (service, variant)
  );

  -- The first answer to each key, and the digest of what was asked.
  CREATE TABLE answers (
    key    text COLLATE "C" PRIMARY KEY,
    asked  text NOT NULL,
    answer text NOT NULL CHECK (answer::json IS NOT NULL),
    at     text COLLATE "C" NOT NULL
  );

  CREATE TABLE nonces (
    nonce      text COLLATE "C" PRIMARY KEY,
    key        text NOT NULL,
    expires_at text COLLATE "C" NOT NULL
  );
  CREATE INDEX nonces_by_age ON nonces (expires_at);

  CREATE TABLE models (
    n          bigint GENERATED ALWAYS AS IDENTITY,
    id         text COLLATE "C" PRIMARY KEY,
    kind       text NOT NULL,
    name       text NOT NULL,
    service    text COLLATE "C",
    base       text NOT NULL,
    uri        text NOT NULL,
    sha256     text NOT NULL,
    created_at text COLLATE "C" NOT NULL
  );
  CREATE INDEX models_of_service ON models (service, created_at, n);

  CREATE TABLE ledger (
    seq     bigint PRIMARY KEY,
    at      text COLLATE "C" NOT NULL,
    service text COLLATE "C" NOT NULL,
    cycle   text COLLATE "C",
    kind    text COLLATE "C" NOT NULL,
    actor   text NOT NULL CHECK (actor::json IS NOT NULL),
    reason  text NOT NULL,
    body    text NOT NULL CHECK (body::json IS NOT NULL),
    prev    text NOT NULL CHECK (length(prev) = 64),
    hash    text NOT NULL CHECK (length(hash) = 64)
  );
  CREATE INDEX ledger_of_service ON ledger (service, seq);
  CREATE INDEX ledger_of_cycle ON ledger (cycle, service, seq) WHERE cycle IS NOT NULL;
  CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'the ledger is append-only';
    END $$;
  CREATE TRIGGER ledger_keeps_rows BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION ledger_is_append_only();
  CREATE TRIGGER ledger_keeps_all BEFORE TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

  -- Every change locks this table, so that changes take turns; it is one row at most.
  CREATE TABLE ledger_head (
    id         integer PRIMARY KEY CHECK (id = 1),
    origin     text NOT NULL,
    size       bigint NOT NULL CHECK (size >= 0),
    seq        bigint NOT NULL CHECK (seq >= 0),
    last       text NOT NULL,
    root       text NOT NULL,
    peaks      text NOT NULL,
    vkey       text NOT NULL,
    checkpoint text NOT NULL
  );
  `,
];

interface Registered {
  readonly n: Generated<number>;
  readonly id: string;
  readonly uri: string;
  readonly sha256: string;
  readonly created_at: string;
}

export interface ControlTables {
  services: {
    service: string;
    latch: Latch;
    because: string;
    epoch: number;
    promotion: number;
    champion: string | null;
    gold: string | null;
    arms: string;
  };
  fleet: { id: number; killed: boolean; because: string };
  variants: Registered & { service: string; origin: string };
  baselines: { service: string; variant: string; vitals: string };
  answers: { key: string; asked: string; answer: string; at: string };
  nonces: { nonce: string; key: string; expires_at: string };
  models: Registered & { kind: string; name: string; service: string | null; base: string };
  ledger: HashedRow;
  ledger_head: {
    id: number;
    origin: string;
    size: number;
    seq: number;
    last: string;
    root: string;
    peaks: string;
    vkey: string;
    checkpoint: string;
  };
}
