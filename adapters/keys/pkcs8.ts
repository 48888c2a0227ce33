/**
 * A private key as PKCS#8 under a passphrase (RFC 8018: PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC), as `openssl pkey`
 * reads it. Written here because Node's own export takes 2,048 rounds, which a stolen file does not withstand for long.
 */
import { createCipheriv, type KeyObject, pbkdf2Sync, randomBytes } from 'node:crypto';

const ROUNDS = 600_000;

export const protectedPem = (key: KeyObject, passphrase: string): string => {
  const [salt, iv] = [randomBytes(16), randomBytes(16)];
  const secret = pbkdf2Sync(passphrase, salt, ROUNDS, 32, 'sha256');
  const cipher = createCipheriv('aes-256-cbc', secret, iv);
  const content = Buffer.concat([cipher.update(key.export({ type: 'pkcs8', format: 'der' })), cipher.final()]);
  const derivation = sequence(PBKDF2, sequence(octets(salt), integer(ROUNDS), sequence(HMAC_WITH_SHA256, NULL)));
  const info = sequence(sequence(PBES2, sequence(derivation, sequence(AES_256_CBC, octets(iv)))), octets(content));
  const lines = info.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN ENCRYPTED PRIVATE KEY-----', ...lines, '-----END ENCRYPTED PRIVATE KEY-----', ''].join('\n');
};

/** DER: a tag, a length, the content. */
const der = (tag: number, content: Buffer): Buffer => {
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const octets = (content: Buffer): Buffer => der(0x04, content);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
/** Of three bytes, the first below 128. */
const integer = (value: number): Buffer => der(0x02, Buffer.from([value >> 16, (value >> 8) & 0xff, value & 0xff]));

const NULL = der(0x05, Buffer.alloc(0));
const PBES2 = oid('2a864886f70d01050d');
const PBKDF2 = oid('2a864886f70d01050c');
const HMAC_WITH_SHA256 = oid('2a864886f70d0209');
const AES_256_CBC = oid('60864801650304012a');
