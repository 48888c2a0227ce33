import type { DatabaseSync } from 'node:sqlite';
import { hashOfLeaf, leafOf, textsOf } from '../ledger/hashing.ts';
import type { Migration } from '../sqlite/database.ts';
import { freshHead, headColumns, withLeaf } from './chain.ts';
import { ledgerRow } from './rows.ts';

/** Step n brings schema version n to n + 1; a step that has shipped never changes. */
export const CONTROL_MIGRATIONS: readonly Migration[] = [
  `
  CREATE TABLE services (
    service   TEXT PRIMARY KEY,
    latch     TEXT NOT NULL CHECK (latch IN ('disarmed', 'armed', 'killed')),
    because   TEXT NOT NULL,
    epoch     INTEGER NOT NULL CHECK (epoch >= 0),
    promotion INTEGER NOT NULL CHECK (promotion >= 0),
    champion  TEXT REFERENCES variants (id),
    gold      TEXT REFERENCES variants (id),
    arms      TEXT NOT NULL CHECK (json_valid(arms))
  ) STRICT;
  CREATE TRIGGER services_never_fall_back BEFORE UPDATE ON services
    WHEN NEW.epoch < OLD.epoch OR NEW.promotion < OLD.promotion
    BEGIN SELECT RAISE(ABORT, 'epoch and promotion never fall'); END;

  CREATE TABLE fleet (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    killed  INTEGER NOT NULL CHECK (killed IN (0, 1)),
    because TEXT NOT NULL
  ) STRICT;
  INSERT INTO fleet VALUES (1, 0, '');

  CREATE TABLE variants (
    id         TEXT PRIMARY KEY,
    service    TEXT NOT NULL,
    uri        TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    origin     TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX variants_of_service ON variants (service, created_at);

  CREATE TABLE baselines (
    service TEXT NOT NULL,
    variant TEXT NOT NULL,
    vitals  TEXT NOT NULL CHECK (json_valid(vitals)),
    PRIMARY KEY (service, variant)
  ) STRICT;

  -- The first answer to each key, and the digest of what was asked.
  CREATE TABLE answers (
    key    TEXT PRIMARY KEY,
    asked  TEXT NOT NULL,
    answer TEXT NOT NULL CHECK (json_valid(answer))
  ) STRICT;

  CREATE TABLE nonces (
    nonce      TEXT PRIMARY KEY,
    key        TEXT NOT NULL,
    expires_at TEXT NOT NULL
  ) STRICT;

  CREATE TABLE ledger (
    seq     INTEGER PRIMARY KEY,
    at      TEXT NOT NULL,
    service TEXT NOT NULL,
    cycle   TEXT,
    kind    TEXT NOT NULL,
    actor   TEXT NOT NULL CHECK (json_valid(actor)),
    reason  TEXT NOT NULL,
    body    TEXT NOT NULL CHECK (json_valid(body))
  ) STRICT;
  CREATE INDEX ledger_of_service ON ledger (service, seq);
  CREATE INDEX ledger_of_cycle ON ledger (cycle, seq) WHERE cycle IS NOT NULL;
  CREATE TRIGGER ledger_keeps_rows BEFORE DELETE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  CREATE TRIGGER ledger_keeps_content BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  -- INSERT OR REPLACE removes a row without asking the delete trigger.
  CREATE TRIGGER ledger_takes_no_replacement BEFORE INSERT ON ledger
    WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  `,
  (db) => hashedLedger(db),
  `
  CREATE TABLE models (
    id         TEXT PRIMARY KEY,
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    service    TEXT,
    base       TEXT NOT NULL,
    uri        TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    created_at TEXT NOT NULL
  ) STRICT;
  CREATE INDEX models_of_service ON models (service, created_at);

  -- The ids of cycles repeat from service to service.
  DROP INDEX ledger_of_cycle;
  CREATE INDEX ledger_of_cycle ON ledger (cycle, service, seq) WHERE cycle IS NOT NULL;
  `,
];

/** The ledger becomes a chain with a signed head; a key is answered with the time at which it was answered first. */
const hashedLedger = (db: DatabaseSync): void => {
  db.exec(`
  ALTER TABLE answers ADD COLUMN at TEXT NOT NULL DEFAULT '';
  UPDATE answers SET at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now');

  ALTER TABLE ledger ADD COLUMN prev TEXT NOT NULL DEFAULT '';
  ALTER TABLE ledger ADD COLUMN hash TEXT NOT NULL DEFAULT '';
  CREATE TABLE ledger_head (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    origin     TEXT NOT NULL,
    size       INTEGER NOT NULL CHECK (size >= 0),
    seq        INTEGER NOT NULL CHECK (seq >= 0),
    last       TEXT NOT NULL,
    root       TEXT NOT NULL,
    peaks      TEXT NOT NULL,
    vkey       TEXT NOT NULL,
    checkpoint TEXT NOT NULL
  ) STRICT;
  DROP TRIGGER ledger_keeps_content;
  `);
  chainOldRows(db);
  db.exec(`
  CREATE TRIGGER ledger_keeps_content BEFORE UPDATE ON ledger
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
  -- A process that still runs an older Pawl knows nothing of hashes.
  CREATE TRIGGER ledger_takes_hashed_rows BEFORE INSERT ON ledger
    WHEN length(NEW.prev) <> 64 OR length(NEW.hash) <> 64
    BEGIN SELECT RAISE(ABORT, 'a newer Pawl has brought this store forward: restart what still runs the older one'); END;
  `);
};

/** Hashes the rows of a ledger from before there were hashes, in their order, and spells their JSON as it is spelled now. */
const chainOldRows = (db: DatabaseSync): void => {
  const select = db.prepare(`SELECT * FROM ledger WHERE seq > ? ORDER BY seq LIMIT 1000`);
  const update = db.prepare('UPDATE ledger SET actor = ?, body = ?, prev = ?, hash = ? WHERE seq = ?');
  const save = db.prepare(`
    INSERT INTO ledger_head (id, origin, size, seq, last, root, peaks, vkey, checkpoint)
    VALUES (1, :origin, :size, :seq, :last, :root, :peaks, :vkey, :checkpoint)`);
  let head = freshHead();
  for (let rows = select.all(0); rows.length > 0; rows = select.all(head.seq)) {
    for (const stored of rows) {
      const row = { ...ledgerRow.parse(stored), prev: head.last };
      const texts = textsOf(row);
      const hash = hashOfLeaf(leafOf(row, texts));
      update.run(texts.actor, texts.body, row.prev, hash, row.seq);
      head = withLeaf(head, hash, row.seq);
    }
  }
  save.run(headColumns(head));
};
