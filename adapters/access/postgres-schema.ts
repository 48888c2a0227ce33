/** Step n brings schema version n to n + 1; a step that has shipped never changes. */
export const POSTGRES_ACCESS_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE api_keys (
    id            text COLLATE "C" PRIMARY KEY,
    name          text NOT NULL,
    tenant        text COLLATE "C" NOT NULL,
    role          text NOT NULL,
    hash          text,
    previous_hash text,
    created_at    text COLLATE "C" NOT NULL,
    expires_at    text COLLATE "C",
    last_used_at  text COLLATE "C",
    rotated_at    text COLLATE "C",
    grace_until   text COLLATE "C",
    revoked_at    text COLLATE "C",
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL))
  );
  CREATE TABLE api_invites (
    hash       text COLLATE "C" PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL,
    created_at text COLLATE "C" NOT NULL,
    expires_at text COLLATE "C" NOT NULL,
    claimed_by text COLLATE "C" REFERENCES api_keys (id)
  );
  -- By which a home sees whether it holds the secret that the hashes were made under.
  CREATE TABLE api_secret (
    id   integer PRIMARY KEY CHECK (id = 1),
    mark text NOT NULL
  );
  `,
];

export interface AccessTables {
  api_keys: {
    readonly id: string;
    readonly name: string;
    readonly tenant: string;
    readonly role: string;
    readonly hash: string | null;
    readonly previous_hash: string | null;
    readonly created_at: string;
    readonly expires_at: string | null;
    readonly last_used_at: string | null;
    readonly rotated_at: string | null;
    readonly grace_until: string | null;
    readonly revoked_at: string | null;
  };
  api_invites: {
    readonly hash: string;
    readonly tenant: string;
    readonly created_at: string;
    readonly expires_at: string;
    readonly claimed_by: string | null;
  };
  api_secret: { readonly id: number; readonly mark: string };
}
