/** Ledgers as a test writes them: rows follow each other as the store would have written them, until the test breaks one. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Arm, Evidence, LedgerRow, Person, Registered, Served, ServiceState } from '../../check/evidence.ts';
import { hashOf, NO_ROW, rootOf, sha256Hex } from '../../check/hashes.ts';

export const [GOLD, CHALLENGER] = ['gold-1', 'challenger-1'];
export const FIRST = 'si_2026_11_21_001';
export const EVALUATION = sha256Hex('evaluation');
const START = Date.parse('2026-11-21T12:00:00.000Z');
const STEP_MS = 10_000;
const whole = (variant: string): readonly Arm[] => [{ variant, share: 1 }];
const split: readonly Arm[] = [GOLD, CHALLENGER].map((variant) => ({ variant, share: 0.5 }));

/** A person with a key of their own. */
export interface Signer {
  readonly name: string;
  readonly role: string;
  readonly kid: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}
const signer = (name: string, role: string): Signer => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const raw = String(publicKey.export({ format: 'jwk' }).x);
  return { name, role, kid: sha256Hex(Buffer.from(raw, 'base64url')).slice(0, 16), publicKey: raw, privateKey };
};
export const [ADA, BEN] = [signer('ada', 'operator'), signer('ben', 'reviewer')];
export const PEOPLE: readonly Person[] = [ADA, BEN].map(({ name, role, kid, publicKey }) => {
  return { name, roles: [role], kid, publicKey, revoked: null };
});
export const LEDGER_KEY = generateKeyPairSync('ed25519');
const GUARDIAN = 'pawl:docs';
export const WORKFLOW = `pawl:docs:cycle:${FIRST}`;

type Claims = Readonly<Record<string, unknown>>;
/** What a decision says otherwise than it should: its row, its token, or both. */
export interface Decided {
  readonly by?: Signer;
  readonly claims?: Claims;
  readonly body?: object;
  readonly token?: string;
}

interface Told {
  readonly cycle?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly body?: object;
}

export class HandMadeLedger {
  readonly rows: LedgerRow[] = [];
  readonly artifacts = new Map<string, string>();
  readonly variants: Registered[] = [
    { id: GOLD, service: 'docs', origin: 'init', sha256: this.keep(GOLD) },
    { id: CHALLENGER, service: 'docs', origin: FIRST, sha256: this.keep(CHALLENGER) },
  ];
  readonly served: Served[] = [];
  state: ServiceState | null = null;

  row(kind: string, { cycle, by = 'person', reason = kind, key, body = {} }: Told = {}): this {
    const seq = this.rows.length + 1;
    this.rows.push({
      ...{ seq, kind, reason, service: 'docs', cycle: cycle ?? null },
      at: new Date(START + seq * STEP_MS).toISOString(),
      actor: { kind: by, name: by === 'person' ? 'ada' : by },
      body: { key: key ?? `key-${seq}`, ...body },
    });
    return this;
  }

  change(kind: string, to: Partial<ServiceState>, told: Told = {}): this {
    const before = this.state;
    this.state = { ...(before ?? FRESH), ...to };
    return this.row(kind, { ...told, body: { ...told.body, outcome: 'done', state: this.state, before } });
  }

  kill(to: Partial<ServiceState> = {}): this {
    const epoch = (this.state?.epoch ?? 0) + 1;
    return this.change('kill', { latch: 'killed', epoch, champion: GOLD, arms: whole(GOLD), ...to });
  }

  grant(cycle = FIRST): this {
    return this.change('grant', { promotion: (this.state?.promotion ?? 0) + 1 }, { cycle, by: 'guardian' });
  }

  shift(reason: string, arms: readonly Arm[], champion?: string, told: Told = {}): this {
    const token = { epoch: this.state?.epoch, promotion: this.state?.promotion };
    const body = { token, arms, ...(champion === undefined ? {} : { champion }), ...told.body };
    const to = { arms, ...(champion === undefined ? {} : { champion }) };
    return this.change('shift', to, { cycle: FIRST, by: 'cycle', reason, ...told, body });
  }

  deploy = (told: Told = {}): this => this.shift('deploy', split, undefined, told);
  promote = (told: Told = {}): this => this.shift('promote', whole(CHALLENGER), CHALLENGER, told);
  restore = (told: Told = {}): this => this.shift('restore', whole(GOLD), undefined, told);

  /** A service that is vouched for and armed, and its first cycle. */
  admitted(body: object = {}, by = 'guardian'): this {
    this.change('register', {}).change('gold', { gold: GOLD }, { body: { variant: GOLD } });
    this.change('arm', { latch: 'armed' });
    return this.row('cycle admitted', { cycle: FIRST, by, body: { workflowId: WORKFLOW, ...body } });
  }

  ends(outcome: string, challenger: string | null = CHALLENGER, body: object = {}): this {
    return this.row('cycle ended', { cycle: FIRST, by: 'cycle', body: { outcome, challenger, ...body } });
  }

  /** Of a person, and allowed. */
  decided(action: string, { by = ADA, claims = {}, body = {}, token }: Decided = {}): this {
    const approves = action === 'approve';
    const bound = {
      ...{ action, person: by.name, role: by.role, workflow: approves ? WORKFLOW : GUARDIAN },
      step: approves ? 'approve' : null,
      variant: approves ? CHALLENGER : action === 'gold' ? GOLD : null,
      evidence: approves ? EVALUATION : null,
    };
    const at = START + (this.rows.length + 1) * STEP_MS;
    const signed = this.token(by, {
      ...{ v: 1, kid: by.kid, reason: 'seen', nonce: `nonce-${this.rows.length}`, ...bound },
      ...{ issuedAt: new Date(at - 1_000).toISOString(), expiresAt: new Date(at + 600_000).toISOString(), ...claims },
    });
    const told = { allowed: true, kid: by.kid, token: token ?? signed, ...bound, ...body };
    return this.row('decision', { by: 'policy', ...(approves ? { cycle: FIRST } : {}), body: told });
  }

  token({ privateKey }: Signer, claims: Claims): string {
    const payload = Buffer.from(JSON.stringify(claims));
    return `${payload.toString('base64url')}.${sign(null, payload, privateKey).toString('base64url')}`;
  }

  /** Of the policy, about what Pawl does by itself. */
  automation(action: string, allowed = true): this {
    return this.row('decision', { cycle: FIRST, by: 'policy', body: { action, allowed, person: null, token: null } });
  }

  /** A request that was answered so long after the last row. */
  answered(variant: string, afterMs: number, latencyMs = 5, over: Partial<Served> = {}): this {
    const at = START + this.rows.length * STEP_MS + afterMs;
    this.served.push({ at, service: 'docs', variant, latencyMs, error: null, ...over });
    return this;
  }

  /** Bytes that a row can name by their digest. */
  keep(text: string): string {
    const sha256 = sha256Hex(text);
    this.artifacts.set(sha256, text);
    return sha256;
  }

  evidence(over: Partial<Evidence> = {}): Evidence {
    const { rows, variants, served, state, artifacts } = this;
    const ledger = chained(rows);
    return {
      ...{ ledger, variants, served, services: state ? [state] : [] },
      ...signedHead(ledger),
      people: PEOPLE,
      artifacts: { read: (sha256) => bytesOf(artifacts.get(sha256)) },
      ...over,
    };
  }
}

const bytesOf = (text: string | undefined): Uint8Array | null => (text === undefined ? null : Buffer.from(text));

export const chained = (rows: readonly LedgerRow[]): LedgerRow[] => {
  let prev = NO_ROW;
  return rows.map((row) => {
    const hash = hashOf({ ...row, prev });
    const linked = { ...row, prev, hash };
    prev = hash;
    return linked;
  });
};

export const signedHead = (
  ledger: readonly LedgerRow[],
  { privateKey, publicKey } = LEDGER_KEY,
): Pick<Evidence, 'head' | 'ledgerKey'> => {
  const [size, root] = [ledger.length, rootOf(ledger.map(({ hash }) => hash ?? ''))];
  const { name, id, line } = noteKeyLine(publicKey);
  const text = `${name}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`;
  const signature = Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), privateKey)]);
  const checkpoint = `${text}\n— ${name} ${signature.toString('base64')}\n`;
  return { head: { size, root, checkpoint, vkey: line }, ledgerKey: `${line}\n` };
};

/** The verifier key of a signed note, made as its document says. */
const noteKeyLine = (publicKey: KeyObject): { name: string; id: string; line: string } => {
  const name = 'pawl/test';
  const raw = Buffer.from(String(publicKey.export({ format: 'jwk' }).x), 'base64url');
  const key = Buffer.concat([Buffer.of(1), raw]);
  const id = sha256Hex(Buffer.concat([Buffer.from(`${name}\n`), key])).slice(0, 8);
  return { name, id, line: `${name}+${id}+${key.toString('base64')}` };
};

const FRESH: ServiceState = {
  service: 'docs',
  latch: 'disarmed',
  because: '',
  epoch: 0,
  promotion: 0,
  champion: GOLD,
  gold: null,
  arms: whole(GOLD),
};
