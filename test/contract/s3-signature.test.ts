import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { signed } from '../../adapters/artifacts/s3-signature.ts';

interface Case {
  readonly name: string;
  readonly method: string;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly moment: string;
  readonly token: string | null;
  readonly signature: string;
}

const fixture = new URL('../fixtures/s3/signatures.json', import.meta.url);
const { keyId, secret, cases } = JSON.parse(readFileSync(fixture, 'utf8')) as {
  keyId: string;
  secret: string;
  cases: Case[];
};
const momentOf = (text: string): number =>
  Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));

test.each(cases)("a request has the signature that AWS's own signer gives it: $name", (given) => {
  const { headers } = signed(
    { ...given, sha256: createHash('sha256').update(given.body).digest('hex') },
    { credentials: { keyId, secret, token: given.token }, region: given.region, now: momentOf(given.moment) },
  );
  expect(headers.authorization).toContain(`Signature=${given.signature}`);
});

test('the address is encoded as it was signed, and the header names who signs, for where, and what', () => {
  const { url, headers } = signed(
    { method: 'GET', origin: 'http://127.0.0.1:7070', path: '/b/ü (1)', headers: { range: 'bytes=0-0' }, sha256: 'd' },
    { credentials: { keyId: 'ID', secret, token: 'T' }, region: 'eu-north-1', now: Date.UTC(2026, 1, 3, 4, 5, 6, 789) },
  );
  expect(url).toBe('http://127.0.0.1:7070/b/%C3%BC%20%281%29');
  expect(headers).toMatchObject({
    host: '127.0.0.1:7070',
    'x-amz-date': '20260203T040506Z',
    authorization: expect.stringContaining(
      'Credential=ID/20260203/eu-north-1/s3/aws4_request, SignedHeaders=host;range;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    ),
  });
});
