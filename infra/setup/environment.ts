/** The only file that reads the process's environment; everything else is handed what it found. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
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
const webAddress = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

const devices = text.transform((value, context) => {
  const parsed = parseDevices(value);
  if (parsed === null) context.addIssue({ code: 'custom' });
  return parsed ?? z.NEVER;
});

/** Each variable with what a person is told when it holds something else. */
const variables = {
  PAWL_HOME: { schema: text, expected: 'a folder' },
  PAWL_TEMPORAL: { schema: text, expected: 'the path of a temporal binary' },
  PAWL_TEMPORAL_ADDRESS: { schema: address, expected: 'an address such as "127.0.0.1:7233"' },
  PAWL_NAMESPACE: { schema: text, expected: 'the name of a Temporal namespace' },
  PAWL_TEMPORAL_PORT: { schema: port, expected: 'a port from 0 to 65535' },
  PAWL_GATEWAY_PORT: { schema: port, expected: 'a port from 0 to 65535' },
  PAWL_ENVIRONMENT: { schema: z.enum(ENVIRONMENTS), expected: `one of ${ENVIRONMENTS.join(', ')}` },
  PAWL_PERSON: { schema: text, expected: 'the name of a person in people.json' },
  PAWL_PASSPHRASE: { schema: text, expected: 'the passphrase of your key' },
  SSH_AUTH_SOCK: { schema: text, expected: 'the socket of an ssh-agent' },
  PAWL_CRANFIELD: { schema: text, expected: 'the folder of the Cranfield collection' },
  PAWL_PYTHON: { schema: text, expected: 'the path of a Python interpreter' },
  PAWL_DEVICES: { schema: devices, expected: DEVICES_EXPECTED },
  HF_ENDPOINT: { schema: webAddress, expected: 'an address such as "https://huggingface.co"' },
  XDG_CACHE_HOME: { schema: text, expected: 'a folder' },
} as const;

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
    variables: withoutPassphrase(source),
  };
}

/** The environment of a process that was told its home in another way. */
export const environmentAt = (home: string): Environment => readEnvironment({ ...process.env, PAWL_HOME: home });

const withoutPassphrase = ({ PAWL_PASSPHRASE: _, ...rest }: Source): Source => rest;

/** An empty variable counts as unset, as it does in a shell's `${NAME:-default}`. */
function check(source: Source): Values {
  const wrong: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, { schema, expected }] of Object.entries(variables)) {
    const found = source[name];
    if (!found) continue;
    const parsed = schema.safeParse(found);
    if (parsed.success) values[name] = parsed.data;
    else wrong.push(`${name}: expected ${expected}, found ${JSON.stringify(found)}`);
  }
  if (wrong.length > 0) {
    throw new PawlError('ConfigInvalid', wrong.join('\n'), { hint: 'Correct or unset the variable and run it again.' });
  }
  return values as Values;
}
