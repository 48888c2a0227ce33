/** DSSE (github.com/secure-systems-lab/dsse, v1.0.2): signed bytes that say of what type they are. */
import { verify } from 'node:crypto';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { NoteKey } from '../ledger/signed-note.ts';

/** Whoever signs statements. */
export interface Signer {
  readonly name: string;
  readonly keyId: string;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

const base64 = z.base64();
const envelope = z.object({
  payloadType: z.string(),
  payload: base64,
  signatures: z.array(z.object({ keyid: z.string(), sig: base64 })).min(1),
});
export type Envelope = z.infer<typeof envelope>;

/** Pre-authentication encoding: what is signed, so that neither type nor length can be taken for something else. */
export const preAuthentication = (payloadType: string, payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.byteLength} `),
    payload,
  ]);

export const signedEnvelope = async (payloadType: string, payload: Uint8Array, signer: Signer): Promise<Envelope> => {
  const sig = await signer.sign(preAuthentication(payloadType, payload));
  return {
    payloadType,
    payload: Buffer.from(payload).toString('base64'),
    signatures: [{ keyid: signer.keyId, sig: Buffer.from(sig).toString('base64') }],
  };
};

export const openEnvelope = (value: unknown): { envelope: Envelope; payload: Buffer } => {
  const checked = envelope.safeParse(value);
  if (checked.success) return { envelope: checked.data, payload: Buffer.from(checked.data.payload, 'base64') };
  const [issue] = checked.error.issues;
  throw new PawlError('ConfigInvalid', `This is no DSSE envelope: ${issue?.path.join('.')}: ${issue?.message}`);
};

/** The key among them that signed it; null where none did. A key id is a hint, and is not believed. */
export const signerOf = ({ envelope, payload }: ReturnType<typeof openEnvelope>, keys: readonly NoteKey[]) => {
  const signed = preAuthentication(envelope.payloadType, payload);
  const by = ({ publicKey }: NoteKey): boolean =>
    envelope.signatures.some(({ sig }) => verify(null, signed, publicKey, Buffer.from(sig, 'base64')));
  return keys.find(by) ?? null;
};
