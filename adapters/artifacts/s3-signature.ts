/** AWS Signature Version 4 of a request to S3, with the digest of its body in it: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
import { createHash, createHmac } from 'node:crypto';

export interface S3Credentials {
  readonly keyId: string;
  readonly secret: string;
  /** Where they belong to a session that ends. */
  readonly token: string | null;
}

export interface S3Call {
  readonly method: string;
  /** Scheme and host. */
  readonly origin: string;
  /** As a person reads it: it is encoded here, once. */
  readonly path: string;
  /** By names in lower case. All of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of the body, also where there is none. */
  readonly sha256: string;
}

export interface Signing {
  readonly credentials: S3Credentials;
  readonly region: string;
  readonly now: number;
}

export interface SignedCall {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

export const signed = (call: S3Call, { credentials, region, now }: Signing): SignedCall => {
  const { method, origin, sha256 } = call;
  const path = encoded(call.path);
  const moment = new Date(now).toISOString().replace(/[-:]|\.\d+/g, '');
  const day = moment.slice(0, 8);
  const { token, keyId, secret } = credentials;
  const headers: Record<string, string> = {
    ...call.headers,
    host: new URL(origin).host,
    'x-amz-content-sha256': sha256,
    'x-amz-date': moment,
    ...(token !== null && { 'x-amz-security-token': token }),
  };
  const names = Object.keys(headers).sort();
  const lines = names.map((name) => `${name}:${headers[name]?.trim().replace(/\s+/g, ' ')}\n`);
  // The empty line is the query: no call has one.
  const request = [method, path, '', lines.join(''), names.join(';'), sha256].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = [ALGORITHM, moment, scope, createHash('sha256').update(request).digest('hex')].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secret}`);
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `${ALGORITHM} Credential=${keyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return { url: origin + path, headers: { ...headers, authorization } };
};

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** What RFC 3986 leaves as it is, and the slashes between the parts; everything else by its bytes. */
const encoded = (path: string): string =>
  encodeURIComponent(path)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
