/** The in-toto statement (v1) over a folder of evidence, and its envelope. */
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { type Envelope, openEnvelope } from './dsse.ts';
import { type Predicate, predicate } from './files.ts';

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
export const PREDICATE_TYPE = 'urn:pawl:evidence:v1';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

const subject = z.object({
  name: z.string(),
  digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
});
export type Subject = z.infer<typeof subject>;
const head = z.object({ _type: z.literal(STATEMENT_TYPE), predicateType: z.string() });
const statement = z.object({ subject: z.array(subject).min(1), predicate });
export type Statement = z.infer<typeof statement>;

export const statementBytes = (subjects: readonly Subject[], about: Predicate): Buffer =>
  Buffer.from(
    canonicalJson({ _type: STATEMENT_TYPE, subject: subjects, predicateType: PREDICATE_TYPE, predicate: about }),
  );

export interface OpenedStatement extends Statement {
  readonly envelope: Envelope;
  readonly payload: Buffer;
}

export const openStatement = (bytes: Uint8Array): OpenedStatement => {
  const opened = openEnvelope(jsonOf(bytes, 'the statement'));
  if (opened.envelope.payloadType !== PAYLOAD_TYPE) throw invalid(`it carries ${opened.envelope.payloadType}`);
  const value = jsonOf(opened.payload, 'what the statement says');
  const form = head.safeParse(value);
  if (!form.success) throw invalid('it is no in-toto statement of version 1');
  if (form.data.predicateType !== PREDICATE_TYPE) {
    throw invalid(`it is of ${form.data.predicateType}; this version of Pawl reads ${PREDICATE_TYPE}`);
  }
  const checked = statement.safeParse(value);
  if (checked.success) return { ...checked.data, ...opened };
  const [issue] = checked.error.issues;
  throw invalid(`${issue?.path.join('.')}: ${issue?.message}`);
};

const jsonOf = (bytes: Uint8Array, what: string): unknown => {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw invalid(`${what} is no JSON`);
  }
};

const invalid = (because: string): PawlError =>
  new PawlError('ConfigInvalid', `The statement over the evidence cannot be read: ${because}.`, {
    hint: 'If the file was changed, the artifact of the same digest is still as it was: `pawl evidence verify` says so.',
  });
