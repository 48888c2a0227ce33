import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { accessMarkThere } from '../../adapters/access/token.ts';
import { refOf } from '../../adapters/artifacts/reference.ts';
import { s3Artifacts } from '../../adapters/artifacts/s3.ts';
import { lookAtPostgres } from '../../adapters/control/postgres-look.ts';
import { POSTGRES_CONTROL_MIGRATIONS } from '../../adapters/control/postgres-schema.ts';
import { CONTROL_MIGRATIONS } from '../../adapters/control/schema.ts';
import { homePaths } from '../../adapters/home.ts';
import { listKeys } from '../../adapters/keys/key-file.ts';
import { ledgerKeyFor, ledgerKeyPath } from '../../adapters/keys/ledger-key.ts';
import { subjectMarkThere } from '../../adapters/keys/subject-key.ts';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { findServices, loadService, type ServiceFile } from '../../adapters/service/config.ts';
import type { Environment } from '../setup/environment.ts';
import { isFree } from '../temporal/ports.ts';
import { readUpFile } from '../up/up-file.ts';
import { attempt, type Check, failed, ok, warning } from './check.ts';

const ANSWER_MS = 3_000;

export async function homeChecks(environment: Environment): Promise<Check[]> {
  const services = await findServices(environment.home).catch((error: unknown) => [error]);
  const found = services.filter((service): service is ServiceFile => !(service instanceof Error));
  return Promise.all([
    ...(found.length < services.length
      ? services.map((error) => attempt('Services', () => Promise.reject(error)))
      : [attempt('Services', () => servicesCheck(environment, found))]),
    ...found.map((service) => attempt(`Service ${service.service}`, () => serviceCheck(environment, service))),
    attempt('Store', () => {
      const { control } = homePaths(environment.home);
      return environment.store === null ? storeCheck(control) : sharedStoreCheck(environment.store, control);
    }),
    attempt('Artifacts', () => artifactsCheck(environment)),
    attempt('Keys', () => keysCheck(environment.home)),
    attempt('Policies', () => policiesCheck(environment.home)),
    attempt('Gateway', () => gatewayCheck(environment, found)),
  ]);
}

function servicesCheck({ home }: Environment, found: readonly ServiceFile[]): Check {
  return found.length > 0
    ? ok('Services', found.map(({ service }) => service).join(', '))
    : warning('Services', `no pawl.yaml in ${home}`, '`pawl init` writes one.');
}

async function serviceCheck({ environment }: Environment, { service, file }: ServiceFile): Promise<Check> {
  const { mode, environment: here, data } = await loadService(file, environment);
  const { train, test, live = train } = data.judgements;
  const missing = [data.corpus, data.queries, train, test, live].filter((path) => !existsSync(path));
  return missing.length > 0
    ? failed(
        `Service ${service}`,
        `missing: ${missing.join(', ')}`,
        `Put the data there, or correct \`data:\` in ${file}.`,
      )
    : ok(`Service ${service}`, `${here}, mode ${mode}`);
}

/** Read-only, so that looking changes nothing: no file is made, no schema is brought up to date. */
export function storeCheck(path: string): Check {
  if (!existsSync(path)) return warning('Store', `there is none at ${path}`, '`pawl init` makes it.');
  const db = new DatabaseSync(path, { readOnly: true, timeout: ANSWER_MS });
  try {
    const known = CONTROL_MIGRATIONS.length;
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    if (version > known) {
      return failed(
        'Store',
        `schema version ${version}; this Pawl knows ${known}`,
        'Use the Pawl that wrote it, or a newer one.',
      );
    }
    const broken = damageIn(db);
    if (broken) {
      const mend = `Stop everything, keep a copy of ${path}, and restore it from your backup.`;
      return failed('Store', `damaged: ${broken}`, mend);
    }
    return ok('Store', `${path}, schema version ${version}`);
  } finally {
    db.close();
  }
}

/** `file` is where the store of this home would lie, and its key beside it. */
export async function sharedStoreCheck(address: string, file: string): Promise<Check> {
  const keys = dirname(ledgerKeyPath(file));
  const marks = { access: accessMarkThere(keys), subjects: subjectMarkThere(keys) };
  const look = await lookAtPostgres(address, ledgerKeyFor(file), marks, ANSWER_MS);
  const { place, server, version, keepsWrites, hasKey, strange } = look;
  const known = POSTGRES_CONTROL_MIGRATIONS.length;
  if (version === null) return warning('Store', `there is none in ${place} yet`, '`pawl init` makes it.');
  if (version > known) {
    const mend = 'Use the Pawl that wrote it, or a newer one.';
    return failed('Store', `${place}: schema version ${version}; this Pawl knows ${known}`, mend);
  }
  const found = `${place}, schema version ${version}, PostgreSQL ${server}`;
  if (!hasKey) {
    const mend = `Copy ${ledgerKeyPath(file)} from a home that signs it; what this one writes is unsigned until then.`;
    return failed('Store', `${found}; the key of its ledger is not in this home`, mend);
  }
  if (strange.length > 0) {
    const mend = `Copy ${strange.map((name) => join(keys, name)).join(' and ')} from a home that shares the store, and start again what runs here.`;
    return failed('Store', `${found}; this home holds another ${strange.join(' and ')} than the others`, mend);
  }
  if (!keepsWrites) {
    const mend = 'Set `fsync = on`: otherwise a power cut may take what was acknowledged.';
    return warning('Store', `${found}; fsync is off`, mend);
  }
  return ok('Store', found);
}

/** A bucket is asked for what is not there: it answers only those who may read, and says why it does not. */
async function artifactsCheck({ home, artifacts }: Environment): Promise<Check> {
  if (artifacts === null) return ok('Artifacts', homePaths(home).artifacts);
  const store = s3Artifacts({ ...artifacts, now: Date.now, attempts: 1, silenceMs: ANSWER_MS });
  await store.has(refOf('0'.repeat(64)));
  return ok('Artifacts', `the bucket ${artifacts.location.bucket} at ${artifacts.location.endpoint}`);
}

/** Where they are broken, every answer is no; what is wrong is the error itself. */
export async function policiesCheck(home: string): Promise<Check> {
  const { policies, digest } = await cedarPolicy({ home }).bundle();
  const own = [...policies.values()].filter(({ file }) => file.startsWith('policies/')).length;
  return ok('Policies', `${policies.size}, ${own} of them of this home; bundle ${digest.slice(0, 12)}`);
}

/** A key that others can read, or that is damaged, is an error of the listing itself. */
export async function keysCheck(home: string): Promise<Check> {
  const keys = await listKeys(home);
  if (keys.length === 0) return ok('Keys', 'no private key lies here');
  const bare = keys.filter(({ isProtected }) => !isProtected).map(({ path }) => path);
  if (bare.length === 0) return ok('Keys', `${keys.length}, each under a passphrase`);
  return warning(
    'Keys',
    `without a passphrase: ${bare.join(', ')}`,
    'Whoever reads such a file can sign as its owner: `pawl people passphrase NAME` protects it.',
  );
}

function damageIn(db: DatabaseSync): string | null {
  try {
    const lines = db
      .prepare('PRAGMA quick_check')
      .all()
      .map(({ quick_check: line }) => String(line));
    return lines.join() === 'ok' ? null : lines.slice(0, 3).join('; ');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function gatewayCheck(environment: Environment, services: readonly ServiceFile[]): Promise<Check> {
  const up = readUpFile(environment.state);
  const address = up?.gateway ?? (await configuredGateway(environment, services));
  const answer = await fetch(`${address}/health`, { signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
  if (answer?.ok) return ok('Gateway', address);
  const { hostname, port } = new URL(address);
  if (answer || !(await isFree(Number(port), hostname))) {
    return failed('Gateway', `port ${port} is taken by something else`, 'End that program, or set PAWL_GATEWAY_PORT.');
  }
  return failed('Gateway', `nothing answers at ${address}`, 'Start it with `pawl up`, or with `pawl gateway`.');
}

async function configuredGateway(environment: Environment, [first]: readonly ServiceFile[]): Promise<string> {
  const config = first && (await loadService(first.file, environment.environment).catch(() => null));
  const { host, port } = config?.gateway ?? { host: '127.0.0.1', port: 8787 };
  return `http://${host}:${environment.gatewayPort ?? port}`;
}
