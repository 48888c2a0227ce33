import type { Database } from '../sqlite/database.ts';

/** An expired token is refused by its date, so its nonce may go; a day is room for clocks that disagree. */
const GRACE_MS = 86_400_000;

export const createNonces = ({ db, transaction }: Database, now: () => number) => {
  const forget = db.prepare('DELETE FROM nonces WHERE expires_at < ?');
  const find = db.prepare('SELECT key FROM nonces WHERE nonce = ?');
  const insert = db.prepare('INSERT INTO nonces (nonce, key, expires_at) VALUES (?, ?, ?)');

  return {
    spend: ({ nonce, key, expiresAt }: { nonce: string; key: string; expiresAt: string }): boolean =>
      transaction(() => {
        const spent = find.get(nonce);
        if (spent) return spent.key === key;
        forget.run(new Date(now() - GRACE_MS).toISOString());
        insert.run(nonce, key, new Date(expiresAt).toISOString());
        return true;
      }),
  };
};
