/** What an answer of S3 means, and what a person can do about it. No message tells a key, or what was signed. */
import { PawlError } from '../../contracts/failures.ts';
import type { S3Location } from './s3-location.ts';

export interface S3Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** Of a server that is busy, has trouble of its own, or had two writers of one name at once. */
export const isPassing = ({ status }: S3Answer): boolean =>
  status === 409 || status === 429 || (status >= 500 && status !== 501 && status !== 507);

/** `NoSuchKey`, `AccessDenied`…; null where the answer names no reason. */
export const codeOf = ({ body }: S3Answer): string | null => field(body, 'Code');

/** Anything else that is not there is a mistake in the set-up: a bucket, a user, or a web server that is no S3 at all. */
export const isMissing = (answer: S3Answer): boolean => answer.status === 404 && codeOf(answer) === 'NoSuchKey';

export const refused = (answer: S3Answer, location: S3Location, now: number): PawlError => {
  const { endpoint, bucket } = location;
  const code = codeOf(answer) ?? `HTTP ${answer.status}`;
  if (answer.status === 507) {
    return new PawlError('DiskFull', `${endpoint} has no space left in the bucket ${bucket} (${code}).`, {
      hint: 'Nothing was written. Free some space; the work goes on by itself.',
    });
  }
  const [because, hint] = KNOWN.get(code)?.(answer, now) ?? elsewhere(answer, location) ?? unknown(answer);
  return new PawlError('Unavailable', `${endpoint} refuses artifacts in the bucket ${bucket}: ${because} (${code}).`, {
    hint,
  });
};

/** What is wrong, and what to do about it. */
type Reason = readonly [because: string, hint: string];

const wrongKeys = (): Reason => [
  'it does not know these keys',
  'Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and start again.',
];
const ended = (): Reason => ['the session has ended', 'Get new keys with their AWS_SESSION_TOKEN, and start again.'];
const forbidden = (): Reason => [
  'these keys may not do this here',
  'They need s3:GetObject and s3:PutObject below the prefix, and s3:ListBucket: without it, what is missing looks forbidden.',
];

const KNOWN = new Map<string, (answer: S3Answer, now: number) => Reason>(
  Object.entries({
    NoSuchBucket: (): Reason => [
      'there is no such bucket',
      'Make the bucket, or correct PAWL_ARTIFACTS. Pawl makes no buckets.',
    ],
    RequestTimeTooSkewed: (answer: S3Answer, now: number): Reason => [
      clocks(answer, now),
      'Set the clock of this machine (NTP), then the work goes on by itself.',
    ],
    SignatureDoesNotMatch: wrongKeys,
    InvalidAccessKeyId: wrongKeys,
    XAdminUserNotFound: wrongKeys, // VersityGW
    ExpiredToken: ended,
    InvalidToken: ended,
    AccessDenied: forbidden,
    AllAccessDisabled: forbidden,
  }),
);

const elsewhere = ({ status, headers, body }: S3Answer, { region }: S3Location): Reason | null => {
  const there = field(body, 'Region') ?? headers['x-amz-bucket-region'];
  if (there === undefined && (status < 300 || status >= 400)) return null;
  return [
    `it was asked for the region ${region}, and lies in ${there ?? 'another'}`,
    'Correct `region` or `endpoint` in PAWL_ARTIFACTS.',
  ];
};

const unknown = ({ body }: S3Answer): Reason => [
  field(body, 'Message')?.slice(0, 200) ?? 'it gives no reason',
  'See that PAWL_ARTIFACTS names a server that speaks S3, and what its log says.',
];

const clocks = ({ headers }: S3Answer, now: number): string => {
  const there = Date.parse(String(headers.date));
  if (Number.isNaN(there)) return "this machine's clock is not that of the server";
  const seconds = Math.round((now - there) / 1_000);
  return `this machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? 'ahead of' : 'behind'} the server's`;
};

/** Errors of S3 are flat; a parser of XML would be more to trust than to gain. */
const field = (body: Buffer, name: string): string | null =>
  new RegExp(`<${name}>([^<]{1,1000})</${name}>`).exec(body.subarray(0, 16_384).toString('utf8'))?.[1] ?? null;
