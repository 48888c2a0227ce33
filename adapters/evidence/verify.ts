/**
 * Whether a folder of evidence is what was sealed.
 *
 * What was sealed is the statement that the ledger names by its digest, wherever that still lies; a statement in the
 * folder that says something else is one more thing that is wrong.
 */
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { LedgerRow } from '../../contracts/ledger.ts';
import type { NoteKey } from '../ledger/signed-note.ts';
import { signerOf } from './dsse.ts';
import { problemOfFile, STATEMENT } from './files.ts';
import { type Files, sha256 } from './folder.ts';
import { type OpenedStatement, openStatement } from './statement.ts';

export type FileState = 'whole' | 'changed' | 'missing' | 'extra' | 'erased';

export interface FileCheck {
  readonly name: string;
  readonly state: FileState;
  /** null where there is no such file. */
  readonly size: number | null;
  readonly sha256: string | null;
  /** What the statement says. */
  readonly sealed: string | null;
}

export interface EvidenceCheck {
  /** Nothing was changed, and nothing is missing. */
  readonly good: boolean;
  /** What the statement says; null where none can be read. */
  readonly complete: boolean | null;
  readonly missing: readonly string[];
  readonly files: readonly FileCheck[];
  readonly statement: string | null;
  readonly signedBy: string | null;
  readonly problems: readonly string[];
}

export interface EvidenceFacts {
  readonly service: string;
  readonly cycle: string;
  readonly files: Files | null;
  /** The row of the cycle's end; null where the ledger has none. */
  readonly end: LedgerRow | null;
  /** The statement that this row names, as the artifact store has it; null where it has none. */
  readonly sealed: Buffer | null;
  /** Digests that the ledger says were erased on purpose. */
  readonly erased: ReadonlySet<string>;
  readonly keys: readonly NoteKey[];
}

export const checkEvidence = (facts: EvidenceFacts): EvidenceCheck => {
  const present = facts.files?.get(STATEMENT) ?? null;
  const opened = opening(facts.sealed ?? present);
  const statement = 'why' in opened ? null : opened;
  const files = statement === null ? unsealed(facts) : filesAgainst(statement, facts);
  const key = statement && signerOf(statement, facts.keys);
  const missing = statement?.predicate.missing ?? [];
  const problems = [
    ...ledgerProblems(facts, present),
    ...('why' in opened ? [opened.why] : []),
    ...(statement && !key ? ["no key of ledger.vkey has signed the statement: it is another store's, or forged"] : []),
    ...(statement ? nameProblems(statement, facts) : []),
    ...files.flatMap(problemOf),
    ...[...(facts.files ?? [])].flatMap(([name, bytes]) => problemOfFile(name, bytes) ?? []),
    ...missing.map((name) => `incomplete: ${name} was missing when it was sealed`),
  ];
  return {
    good: problems.length === 0,
    complete: statement?.predicate.complete ?? null,
    missing,
    files,
    statement: present && sha256(present),
    signedBy: key?.vkey ?? null,
    problems,
  };
};

/** The statement of the row of a cycle's end; null where nothing was sealed. */
export const sealedRef = (end: LedgerRow | null): ArtifactRef | null => {
  const { sealed } = (end?.body ?? {}) as { readonly sealed?: { readonly statement?: ArtifactRef } | null };
  return sealed?.statement ?? null;
};

export const erasedIn = (rows: readonly LedgerRow[]): ReadonlySet<string> =>
  new Set(rows.flatMap(({ body }) => JSON.stringify(body).match(/[0-9a-f]{64}/g) ?? []));

const ledgerProblems = ({ end, files }: EvidenceFacts, present: Buffer | null): string[] => {
  const ref = sealedRef(end);
  const folder = files === null ? ['there is no folder of evidence'] : [];
  if (end === null) return [...folder, 'the ledger has no row about the end of this cycle'];
  if (ref === null) {
    const why = typeof end.body.unsealed === 'string' ? `: ${end.body.unsealed}` : '';
    return [...folder, `the ledger says that nothing was sealed${why}`];
  }
  if (present === null) return files === null ? folder : [`${STATEMENT} is missing`];
  const digest = sha256(present);
  return digest === ref.sha256 ? [] : [`${STATEMENT} has the digest ${digest}; the ledger names ${ref.sha256}`];
};

const opening = (bytes: Buffer | null): OpenedStatement | { readonly why: string } => {
  if (bytes === null) return { why: 'there is no statement to hold the files against' };
  try {
    return openStatement(bytes);
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
};

const nameProblems = ({ predicate }: OpenedStatement, { service, cycle }: EvidenceFacts): string[] =>
  predicate.service === service && predicate.cycle === cycle
    ? []
    : [`the statement is that of ${predicate.cycle} of ${predicate.service}`];

const unsealed = ({ files }: EvidenceFacts): FileCheck[] =>
  [...(files ?? [])]
    .filter(([name]) => name !== STATEMENT)
    .map(([name, bytes]) => ({ name, state: 'extra', size: bytes.length, sha256: sha256(bytes), sealed: null }));

const filesAgainst = ({ subject }: OpenedStatement, { files, erased }: EvidenceFacts): FileCheck[] => {
  const sealed = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  const names = new Set([...sealed.keys(), ...(files?.keys() ?? [])]);
  names.delete(STATEMENT);
  return [...names].sort().map((name) => {
    const bytes = files?.get(name);
    const [is, was] = [bytes ? sha256(bytes) : null, sealed.get(name) ?? null];
    return { name, state: stateOf(is, was, erased), size: bytes?.length ?? null, sha256: is, sealed: was };
  });
};

const stateOf = (is: string | null, was: string | null, erased: ReadonlySet<string>): FileState => {
  if (was === null) return 'extra';
  if (is === null) return erased.has(was) ? 'erased' : 'missing';
  return is === was ? 'whole' : 'changed';
};

const problemOf = ({ name, state, sha256: is, sealed }: FileCheck): string[] => {
  if (state === 'changed') return [`${name} was changed: its digest is ${is}, ${sealed} was sealed`];
  if (state === 'missing') return [`${name} is missing`];
  return state === 'extra' ? [`${name} is not part of what was sealed`] : [];
};
