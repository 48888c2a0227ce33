/** The only file that reads the process's environment; everything else is handed what it found. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { parseS3Location, S3_EXPECTED, type S3Location } from '../../adapters/artifacts/s3-location.ts';
import type { S3Credentials } from '../../adapters/artifacts/s3-signature.ts';
import { PawlError } from '../../contracts/failures.ts';
import { ENVIRONMENTS } from '../../contracts/plan.ts';
import { DEFAULT_DEVICES, DEVICES_EXPECTED, type Device, parseDevices } from '../../ml/session/device.ts';

const port = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((n) => n <= 65_535);
const address = z.string().regex(/^(\[[0-9a-f:.]+\]|[^\s:/]+):\d{1,5}$/i);
const text = z.string().min(1);
const redis = z.url({ protocol: /^rediss?$/ });
const postgres = z.string().regex(/^postgres(ql)?:\/\/\S+$/);
const webAddress = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const devices = text.transform((value, context) => {
  const parsed = parseDevices(value);
  if (parsed === null) context.addIssue({ code: 'custom' });
  return parsed ?? z.NEVER;
});

const s3Location = text.transform((value, context) => {
  const parsed = parseS3Location(value);
  if (parsed === null) context.addIssue({ code: 'custom' });
  return parsed ?? z.NEVER;
});
/** Goes into a header as it is. */
const word = z.string().regex(/^\S+$/);

/** Each variable with what a person is told when it holds something else. What holds a `secret` is never shown, nor handed on to others. */
const variables = {
  PAWL_HOME: { schema: text, expected: 'a folder' },
  PAWL_TEMPORAL: { schema: text, expected: 'the path of a temporal binary' },
  PAWL_TEMPORAL_ADDRESS: { schema: address, expected: 'an address such as "127.0.0.1:7233"' },
  PAWL_NAMESPACE: { schema: text, expected: 'the name of a Temporal namespace' },
  PAWL_TEMPORAL_PORT: { schema: port, expected: 'a port from 0 to 65535' },
  PAWL_GATEWAY_PORT: { schema: port, expected: 'a port from 0 to 65535' },
  PAWL_ENVIRONMENT: { schema: z.enum(ENVIRONMENTS), expected: `one of ${ENVIRONMENTS.join(', ')}` },
  PAWL_PERSON: { schema: text, expected: 'the name of a person in people.json' },
  PAWL_PASSPHRASE: { schema: text, expected: 'the passphrase of your key', secret: true },
  SSH_AUTH_SOCK: { schema: text, expected: 'the socket of an ssh-agent' },
  PAWL_ARTIFACTS: { schema: s3Location, expected: S3_EXPECTED, secret: true },
  AWS_ACCESS_KEY_ID: { schema: word, expected: 'the id of an access key', secret: true },
  AWS_SECRET_ACCESS_KEY: { schema: word, expected: 'the secret of an access key', secret: true },
  AWS_SESSION_TOKEN: { schema: word, expected: 'the token of a session', secret: true },
  PAWL_STORE: { schema: postgres, expected: 'an address such as "postgres://user@host:5432/database"', secret: true },
  PAWL_CACHE: { schema: redis, expected: 'an address such as "redis://127.0.0.1:6379/0"', secret: true },
  QDRANT_URL: { schema: webAddress, expected: 'an address such as "http://127.0.0.1:6333"' },
  QDRANT_API_KEY: { schema: word, expected: 'the key that Qdrant takes', secret: true },
  PAWL_CRANFIELD: { schema: text, expected: 'the folder of the Cranfield collection' },
  PAWL_PYTHON: { schema: text, expected: 'the path of a Python interpreter' },
  PAWL_DEVICES: { schema: devices, expected: DEVICES_EXPECTED },
  HF_ENDPOINT: { schema: webAddress, expected: 'an address such as "https://huggingface.co"' },
  XDG_CACHE_HOME: { schema: text, expected: 'a folder' },
} as const satisfies Record<string, { schema: z.ZodType; expected: string; secret?: true }>;

type Name = keyof typeof variables;
type Values = { [N in Name]?: z.infer<(typeof variables)[N]['schema']> };
type Source = Readonly<Record<string, string | undefined>>;

export interface Environment {
  /** Where pawl.yaml and services/ lie, and the folder in it that holds Pawl's state. */
  readonly home: string;
  readonly state: string;
  /** What was downloaded or built for this user, shared by all checkouts. */
  readonly cache: string;
  readonly temporalBinary: string | null;
  readonly temporalAddress: string | null;
  readonly temporalPort: number | null;
  readonly namespace: string | null;
  readonly gatewayPort: number | null;
  readonly environment: (typeof ENVIRONMENTS)[number] | null;
  /** Where artifacts lie that several machines share; null: in the home's own folder. */
  readonly artifacts: { readonly location: S3Location; readonly credentials: S3Credentials } | null;
  /** PostgreSQL, where homes on several machines share what they know; null: files of the home. */
  readonly store: string | null;
  /** Redis, where several gateways share their answers; null: each keeps its own. */
  readonly answerCache: string | null;
  /** Where indexes lie that several gateways share; null: in the home's own folder. */
  readonly qdrant: { readonly url: string; readonly apiKey?: string } | null;
  readonly cranfield: string | null;
  /** For pip, and for whatever is compared with Python. */
  readonly python: string;
  /** What a worker on `pawl-infer-gpu` computes on. */
  readonly devices: readonly Device[];
  /** Where models of `hf:` come from. */
  readonly hub: string;
  /** Whose key signs where a command does not say. */
  readonly person: string | null;
  /** Opens the keys of this home. Never handed on: it stands in no child's environment. */
  readonly passphrase: string | null;
  readonly agentSocket: string | null;
  readonly colour: boolean;
  readonly ci: boolean;
  readonly path: string;
  /** What child processes inherit. */
  readonly variables: Source;
  /** What Pawl's own processes are given besides, and nobody else. */
  readonly secrets: Source;
}

export function readEnvironment(source: Source = process.env): Environment {
  const values = check(source);
  const home = resolve(values.PAWL_HOME ?? '.');
  return {
    home,
    state: join(home, '.pawl'),
    cache: join(resolve(values.XDG_CACHE_HOME ?? join(homedir(), '.cache')), 'pawl'),
    temporalBinary: values.PAWL_TEMPORAL ?? null,
    temporalAddress: values.PAWL_TEMPORAL_ADDRESS ?? null,
    temporalPort: values.PAWL_TEMPORAL_PORT ?? null,
    namespace: values.PAWL_NAMESPACE ?? null,
    gatewayPort: values.PAWL_GATEWAY_PORT ?? null,
    environment: values.PAWL_ENVIRONMENT ?? null,
    artifacts: artifactsOf(values),
    store: values.PAWL_STORE ?? null,
    answerCache: values.PAWL_CACHE ?? null,
    qdrant: qdrantOf(values),
    cranfield: values.PAWL_CRANFIELD ?? null,
    python: values.PAWL_PYTHON ?? 'python3',
    devices: values.PAWL_DEVICES ?? parseDevices(DEFAULT_DEVICES) ?? [],
    hub: values.HF_ENDPOINT ?? 'https://huggingface.co',
    person: values.PAWL_PERSON ?? null,
    passphrase: values.PAWL_PASSPHRASE ?? null,
    agentSocket: values.SSH_AUTH_SOCK ?? null,
    colour: !source.NO_COLOR && source.TERM !== 'dumb',
    ci: Boolean(source.CI) && source.CI !== 'false',
    path: source.PATH ?? '',
    variables: only(source, (name) => !isSecret(name)),
    secrets: only(source, (name) => isSecret(name) && name !== 'PAWL_PASSPHRASE'),
  };
}

/** The environment of a process that was told its home in another way. */
export const environmentAt = (home: string): Environment => readEnvironment({ ...process.env, PAWL_HOME: home });

const isSecret = (name: string): boolean => Object.hasOwn(variables, name) && 'secret' in variables[name as Name];
const only = (source: Source, wanted: (name: string) => boolean): Source =>
  Object.fromEntries(Object.entries(source).filter(([name]) => wanted(name)));

const qdrantOf = ({ QDRANT_URL: url, QDRANT_API_KEY: apiKey }: Values): Environment['qdrant'] =>
  url === undefined ? null : { url, ...(apiKey === undefined ? {} : { apiKey }) };

const artifactsOf = (values: Values): Environment['artifacts'] => {
  const { PAWL_ARTIFACTS: location, AWS_ACCESS_KEY_ID: keyId, AWS_SECRET_ACCESS_KEY: secret } = values;
  if (location === undefined) return null;
  if (keyId !== undefined && secret !== undefined)
    return { location, credentials: { keyId, secret, token: values.AWS_SESSION_TOKEN ?? null } };
  throw new PawlError('ConfigInvalid', 'PAWL_ARTIFACTS is set without AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', {
    hint: 'Set both: they are read from the environment only, and stand in no file of a home.',
  });
};

/** An empty variable counts as unset, as it does in a shell's `${NAME:-default}`. */
function check(source: Source): Values {
  const wrong: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, expected }] of Object.entries(variables)) {
    const found = source[name];
    if (!found) continue;
    const parsed = schema.safeParse(found);
    if (parsed.success) values[name] = parsed.data;
    else
      wrong.push(`${name}: expected ${expected}, found ${isSecret(name) ? 'something else' : JSON.stringify(found)}`);
  }
  if (wrong.length > 0) {
    throw new PawlError('ConfigInvalid', wrong.join('\n'), { hint: 'Correct or unset the variable and run it again.' });
  }
  return values as Values;
}
