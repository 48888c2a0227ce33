/** `s3://bucket/prefix?endpoint=https://minio.example.com:9000&region=eu-central-1`: where artifacts lie that several machines share. */

export interface S3Location {
  /** Scheme, host and port of the server. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
}

export const S3_EXPECTED =
  'an address such as "s3://bucket/prefix?endpoint=https://minio.example.com:9000&region=eu-central-1" (no endpoint: AWS; no region: us-east-1)';

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Signs that every server and every proxy leaves alone. */
const PREFIX = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const REGION = /^[a-z0-9-]{1,40}$/;
const KNOWN = ['endpoint', 'region'];

/** null where it is none. Keys stand in the environment, never in here. */
export const parseS3Location = (text: string): S3Location | null => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol !== 's3:' || url.username !== '' || url.password !== '' || url.port !== '' || url.hash !== '') {
    return null;
  }
  // `..` is gone from a URL that was read, and the person may have meant something else by it.
  if (text.split('?')[0] !== `s3://${url.hostname}${url.pathname}`) return null;
  const names = [...url.searchParams.keys()];
  if (names.some((name) => !KNOWN.includes(name)) || new Set(names).size < names.length) return null;
  const region = url.searchParams.get('region') ?? 'us-east-1';
  const endpoint = originOf(url.searchParams.get('endpoint') ?? `https://s3.${region}.amazonaws.com`);
  const prefix = url.pathname.replace(/^\/|\/$/g, '');
  const isRight = BUCKET.test(url.hostname) && REGION.test(region) && (prefix === '' || PREFIX.test(prefix));
  return endpoint !== null && isRight ? { endpoint, region, bucket: url.hostname, prefix } : null;
};

const originOf = (text: string): string | null => {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  return url && isWeb && url.href === `${url.origin}/` ? url.origin : null;
};
