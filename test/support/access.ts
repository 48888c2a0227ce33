/** Who may ask a gateway of a test: real keys in memory, the shipped policies, and a ledger where the test has one. */
import {
  createKeyring,
  type Issued,
  type Keyring,
  type KeyringDeps,
  type KeyWish,
} from '../../adapters/access/keyring.ts';
import { sqliteAccess } from '../../adapters/access/sqlite.ts';
import { tokenHasher } from '../../adapters/access/token.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import type { LedgerEntry } from '../../contracts/control.ts';
import type { GatewayAccess } from '../../gateway/access.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const by = { actor: { kind: 'person', name: 'ada' }, reason: 'a test' };

/** Checked once for all gateways of a process. */
const shipped = cedarPolicy({ home: '/nowhere' });

export const memoryKeys = (over: Partial<KeyringDeps> = {}) => {
  const rows: LedgerEntry[] = [];
  const note: ControlStore['note'] = async (entry) => {
    rows.push(entry);
    return { size: rows.length, root: '', checkpoint: '' };
  };
  const store = sqliteAccess(':memory:');
  const keys = createKeyring({
    store,
    hash: tokenHasher(temporaryFolder()),
    control: { note },
    now: Date.now,
    ...over,
  });
  return { keys, store, rows };
};

export const issue = (keys: Keyring, wish: Partial<KeyWish> = {}): Promise<Issued> =>
  keys.create({ name: 'one', tenant: DEFAULT_TENANT, role: 'reader', lifeMs: null, ...wish }, by);

export const testAccess = (over: Partial<GatewayAccess> = {}): GatewayAccess => ({
  mode: 'open',
  keys: over.keys ?? memoryKeys().keys,
  policy: shipped,
  environments: new Map([['docs', 'production']]),
  rates: { perAddress: null, perKey: 100_000 },
  trustProxy: [],
  ...over,
});

export const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
