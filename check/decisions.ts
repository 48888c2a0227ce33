/** What people signed, and what the ledger made of it. */
import type { Evidence, LedgerRow, Person } from './evidence.ts';
import { sha256Hex, signedBy } from './hashes.ts';
import { at, type Finding, notApplicable, type Rule } from './reading.ts';

/** Between the look at the clock, or at people.json, and the row there may be a wait for the store. */
const GRACE_MS = 5_000;
/** So far may the clock of whoever signs be ahead. */
const AHEAD_MS = 60_000;

export interface Decision {
  readonly row: LedgerRow;
  readonly action: string;
  readonly allowed: boolean;
  /** null: Pawl itself. */
  readonly person: string | null;
  readonly role: string | null;
  readonly workflow: string | null;
  readonly step: string | null;
  readonly variant: string | null;
  readonly evidence: string | null;
  /** The whole token where it was allowed, its digest otherwise. */
  readonly token: string | null;
}

export const decisionsIn = ({ ledger }: Evidence): Decision[] =>
  ledger
    .filter(({ kind }) => kind === 'decision')
    .map((row) => {
      const { body } = row;
      const text = (field: string): string | null => (typeof body[field] === 'string' ? body[field] : null);
      return {
        row,
        action: text('action') ?? '',
        allowed: body.allowed === true,
        person: text('person'),
        role: text('role'),
        workflow: text('workflow'),
        step: text('step'),
        variant: text('variant'),
        evidence: text('evidence'),
        token: text('token'),
      };
    });

/** One rule over each decision of a person that was allowed. */
const ofSigned =
  (rule: (decision: Decision, people: readonly Person[]) => readonly string[]): Rule =>
  (evidence) => {
    const { people } = evidence;
    if (!people) return notApplicable('there is no people.json');
    const signed = decisionsIn(evidence).filter(({ allowed, person }) => allowed && person !== null);
    if (signed.length === 0) return notApplicable('no person has decided anything that was allowed');
    return signed.flatMap((decision) => rule(decision, people).map((what) => at(decision.row, what)));
  };

const nameOf = ({ action, person }: Decision): string => `${action} by ${person}`;

export const isSigned = ofSigned((decision, people) => {
  const read = readToken(decision.token);
  if (!read) return [`${nameOf(decision)} carries nothing that is a token`];
  const signer = people.find(({ kid }) => kid === read.claims.kid);
  if (!signer) return [`${nameOf(decision)} is signed by ${read.claims.kid}, whose key is not in people.json`];
  if (!signedBy(Buffer.from(signer.publicKey, 'base64url'), read.payload, read.signature))
    return [`${nameOf(decision)} carries a token whose signature does not match its content`];
  return signer.name === decision.person ? [] : [`${nameOf(decision)} is signed with the key of ${signer.name}`];
});

/** A claim of the token, and what the row says of the same. */
const BOUND = ['action', 'workflow', 'step', 'variant', 'evidence', 'person', 'role'] as const;

export const allowsWhatWasSigned = ofSigned((decision) => {
  const read = readToken(decision.token);
  if (!read) return [];
  return BOUND.filter((field) => (read.claims[field] ?? null) !== decision[field]).map(
    (field) => `${nameOf(decision)} has the ${field} ${decision[field]}, and its token ${read.claims[field] ?? null}`,
  );
});

export const isInTime = ofSigned((decision) => {
  const claims = readToken(decision.token)?.claims;
  if (!claims) return [];
  const moment = Date.parse(decision.row.at);
  const [issued, expires] = [Date.parse(String(claims.issuedAt)), Date.parse(String(claims.expiresAt))];
  return issued <= moment + AHEAD_MS && moment - GRACE_MS < expires
    ? []
    : [
        `${nameOf(decision)} was taken at ${decision.row.at}; its token is of ${claims.issuedAt} to ${claims.expiresAt}`,
      ];
});

/** By its nonce, and where that cannot be read by its text. */
export const countsOnce: Rule = (evidence) => {
  const allowed = decisionsIn(evidence).filter(({ allowed, token }) => allowed && token !== null);
  if (allowed.length === 0) return notApplicable('no token was ever used');
  const uses = Map.groupBy(allowed, ({ token }) => String(readToken(token)?.claims.nonce ?? digestOf(token ?? '')));
  return [...uses.values()].flatMap(([first, ...again]) =>
    again.map((use) => at(use.row, `${nameOf(use)} uses the token that was used in row ${first?.row.seq}`)),
  );
};

export const isNotRevoked = ofSigned((decision, people) => {
  const kid = readToken(decision.token)?.claims.kid;
  const revoked = people.find((person) => person.kid === kid)?.revoked ?? null;
  return revoked === null || Date.parse(decision.row.at) <= Date.parse(revoked) + GRACE_MS
    ? []
    : [`${nameOf(decision)} was allowed at ${decision.row.at}; the key was revoked at ${revoked}`];
});

export const isInARoleOfTheirs = ofSigned((decision, people) => {
  const kid = readToken(decision.token)?.claims.kid;
  const signer = people.find((person) => person.kid === kid);
  return !signer || signer.roles.includes(String(decision.role))
    ? []
    : [`${nameOf(decision)} was in the role ${decision.role}; ${signer.name} is ${signer.roles.join(', ')}`];
});

/** The rows that only a signature can bring about, and the action that it is of. */
const LOOSENED: Readonly<Record<string, string>> = {
  gold: 'gold',
  arm: 'rearm',
  resumed: 'resume',
  'lift all': 'rearm',
};

/** Each such row uses up one decision, so that one signature does not loosen twice. */
export const followsADecision: Rule = (evidence) => {
  const decisions = decisionsIn(evidence);
  const since = decisions[0]?.row.seq;
  if (since === undefined) return notApplicable('this ledger holds no decisions');
  const free = decisions.filter(({ allowed, person }) => allowed && person !== null);
  return evidence.ledger
    .filter((row) => row.seq > since && row.actor.kind === 'person' && isLoosening(row))
    .flatMap((row): Finding[] => {
      const found = free.findIndex(
        (decision) =>
          decision.row.seq < row.seq &&
          decision.row.service === row.service &&
          decision.action === LOOSENED[row.kind] &&
          decision.person === row.actor.name &&
          (row.kind !== 'gold' || decision.variant === row.body.variant),
      );
      if (found >= 0) free.splice(found, 1);
      return found >= 0 ? [] : [at(row, `${row.kind} by ${row.actor.name}, and no decision of theirs allows it`)];
    });
};
const isLoosening = ({ kind, body }: LedgerRow): boolean =>
  kind in LOOSENED && (body.outcome === undefined || body.outcome === 'done');

interface ReadToken {
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly claims: Readonly<Record<string, unknown>>;
}
const readToken = (token: string | null): ReadToken | null => {
  const [payload, signature, more] = (token ?? '').split('.');
  if (payload === undefined || signature === undefined || more !== undefined) return null;
  try {
    const bytes = Buffer.from(payload, 'base64url');
    const claims: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof claims !== 'object' || claims === null) return null;
    return { payload: bytes, signature: Buffer.from(signature, 'base64url'), claims: { ...claims } };
  } catch {
    return null;
  }
};

const digestOf = (token: string): string => (/^[0-9a-f]{64}$/.test(token) ? token : sha256Hex(token));
