/** What the ledger names by its digest, held against the folder in which it lies. */
import type { Artifacts, Evidence, LedgerRow } from './evidence.ts';
import { noteKey, sha256Hex, signedBy } from './hashes.ts';
import { at, type Finding, notApplicable, type Rule } from './reading.ts';

export const NO_FOLDER = notApplicable('this home has no folder of artifacts');

/** Why nothing can be made of what lies there; null where it is whole. */
export const whyNot = (artifacts: Artifacts, sha256: string): string | null => {
  const bytes = artifacts.read(sha256);
  if (bytes === null) return 'is not there';
  return sha256Hex(bytes) === sha256 ? null : 'holds something else';
};

const ends = ({ ledger }: Evidence): LedgerRow[] => ledger.filter(({ kind }) => kind === 'cycle ended');

/** By stage. */
const evidenceOf = ({ body }: LedgerRow): Record<string, { readonly sha256: string }> =>
  (body.evidence ?? {}) as Record<string, { readonly sha256: string }>;

export const keepsItsEvidence: Rule = (evidence) => {
  const { artifacts } = evidence;
  if (!artifacts) return NO_FOLDER;
  const erased = erasedIn(evidence);
  return ends(evidence).flatMap((end) =>
    Object.entries(evidenceOf(end)).flatMap(([stage, { sha256 }]): Finding[] => {
      const why = erased.has(sha256) ? null : whyNot(artifacts, sha256);
      return why === null ? [] : [at(end, `the evidence of ${stage} of ${end.cycle} (${sha256}) ${why}`)];
    }),
  );
};

/** What a promotion needs, where the stage is one of Pawl's own: a service's own stage may leave what it likes. */
const GROUNDS = [
  ['evaluate', 'verdict', 'better'],
  ['watch', 'state', 'healthy'],
] as const;

export const restsOnItsEvidence: Rule = (evidence) => {
  const { artifacts } = evidence;
  if (!artifacts) return NO_FOLDER;
  return ends(evidence)
    .filter(({ body }) => body.outcome === 'promoted')
    .flatMap((end) =>
      GROUNDS.flatMap(([stage, field, wanted]): Finding[] => {
        const said = fieldIn(artifacts, evidenceOf(end)[stage]?.sha256, field);
        return said === undefined || said === wanted
          ? []
          : [at(end, `${end.cycle} promoted, and its ${stage} says ${said}`)];
      }),
    );
};

export const fieldIn = (artifacts: Artifacts, sha256: string | undefined, field: string): unknown => {
  try {
    return JSON.parse(Buffer.from(artifacts.read(sha256 ?? '') ?? []).toString('utf8'))[field];
  } catch {
    return undefined; // Whether it is there at all is another rule.
  }
};

const sealedIn = (evidence: Evidence): LedgerRow[] => ends(evidence).filter(({ body }) => body.sealed);
const statementOf = ({ body }: LedgerRow): string =>
  (body.sealed as { readonly statement: { readonly sha256: string } }).statement.sha256;
const NOTHING_SEALED = notApplicable('no cycle has sealed its evidence');

export const keepsWhatItSealed: Rule = (evidence) => {
  const { artifacts } = evidence;
  if (!artifacts) return NO_FOLDER;
  const sealed = sealedIn(evidence);
  if (sealed.length === 0) return NOTHING_SEALED;
  const erased = erasedIn(evidence);
  return sealed.flatMap((end): Finding[] => {
    const statement = statementOf(end);
    const why = whyNot(artifacts, statement);
    if (why !== null) return [at(end, `the statement of ${end.cycle} (${statement}) ${why}`)];
    const subjects = envelopeIn(artifacts.read(statement))?.subjects;
    if (!subjects) return [at(end, `the statement of ${end.cycle} is no envelope with a statement in it`)];
    return subjects.flatMap(({ name, digest: { sha256 } }) => {
      const lost = erased.has(sha256) ? null : whyNot(artifacts, sha256);
      return lost === null ? [] : [at(end, `${name} in the evidence of ${end.cycle} (${sha256}) ${lost}`)];
    });
  });
};

export const sealsAreSigned: Rule = (evidence) => {
  const { artifacts, ledgerKey } = evidence;
  if (!artifacts) return NO_FOLDER;
  const sealed = sealedIn(evidence);
  if (sealed.length === 0) return NOTHING_SEALED;
  if (!ledgerKey) return notApplicable('there is no ledger.vkey to hold the signatures against');
  const keys = [ledgerKey, ...keysBefore(evidence)].flatMap((line) => noteKey(line) ?? []);
  return sealed
    .filter((end) => {
      const envelope = envelopeIn(artifacts.read(statementOf(end)));
      return !keys.some(({ publicKey }) =>
        envelope?.signatures.some((signature) => signedBy(publicKey, envelope.signed, signature)),
      );
    })
    .map((end) => at(end, `the statement of ${end.cycle} is not signed by the key of the ledger`));
};

/** A ledger whose key was lost tells of the one before. */
const keysBefore = ({ ledger }: Evidence): string[] =>
  ledger.filter(({ kind }) => kind === 'ledger key changed').map(({ body }) => String(body.before));

interface Envelope {
  readonly subjects: ReadonlyArray<{ readonly name: string; readonly digest: { readonly sha256: string } }>;
  /** What the signatures are over. */
  readonly signed: Uint8Array;
  readonly signatures: readonly Uint8Array[];
}
/** The in-toto statement in a DSSE envelope. */
const envelopeIn = (bytes: Uint8Array | null): Envelope | null => {
  try {
    const { payload, payloadType, signatures } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    const text = Buffer.from(String(payload), 'base64');
    const { subject } = JSON.parse(text.toString('utf8'));
    if (!Array.isArray(subject) || !Array.isArray(signatures)) return null;
    const type = Buffer.from(String(payloadType));
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${text.length} `), text]);
    return { subjects: subject, signed, signatures: signatures.map(({ sig }) => Buffer.from(String(sig), 'base64')) };
  } catch {
    return null;
  }
};

/** Whatever serves, or would serve after a kill. */
export const keepsWhatServes: Rule = (evidence) => {
  const { artifacts, variants } = evidence;
  if (!artifacts) return NO_FOLDER;
  return evidence.services.flatMap(({ service, champion, gold, arms }): Finding[] => {
    const named = new Set([champion, gold, ...arms.map(({ variant }) => variant)].filter((id) => id !== null));
    return [...named].flatMap((id) => {
      const registered = variants.find((variant) => variant.id === id && variant.service === service);
      const why = registered ? whyNot(artifacts, registered.sha256 ?? id) : 'is not registered';
      return why === null ? [] : [{ service, seq: null, what: `variant ${id} ${why}` }];
    });
  });
};

/** A person's data may be erased; the row about it names the digests of what is gone. */
export const erasedIn = ({ ledger }: Evidence): ReadonlySet<unknown> =>
  new Set(
    ledger
      .filter(({ kind }) => kind === 'erased')
      .flatMap(({ body }): unknown[] => (Array.isArray(body.artifacts) ? body.artifacts : [])),
  );
