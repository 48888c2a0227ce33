/**
 * pawl.yaml of one service, and where those of a home lie. Everything that is wrong with a file is told at once, each
 * with its line.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type PawlYaml, pawlYaml, type ServiceConfig } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { SERVICE_NAME } from '../../contracts/ids.ts';
import type { Environment } from '../../contracts/plan.ts';
import { settingsOf } from '../../domain/profiles.ts';
import { homePaths } from '../home.ts';
import { problemsOf } from './problems.ts';
import { conditionProblems, whyNoTrial } from './trials.ts';
import { type Problem, readYaml } from './yaml.ts';

/** `environment` is what PAWL_ENVIRONMENT says; it wins over the file. */
export async function loadService(file: string, environment: Environment | null = null): Promise<ServiceConfig> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new PawlError('NotFound', `${nameOf(file)} cannot be read.`, { hint: '`pawl init` writes one.', cause });
  });
  const { profiles = {}, ...config } = parseConfig(bytes.toString(), nameOf(file));
  const folder = resolve(dirname(file));
  const here = environment ?? config.environment;
  const settings = settingsOf(here, config, profiles[here] ?? {});
  const why = whyNoTrial(settings);
  if (why !== null) {
    throw new PawlError('ConfigInvalid', `${nameOf(file)}: ${why}.`, {
      hint: 'Write one: canary: { steps: [{ weight: 10% }, { analysis: standard }] }',
    });
  }
  return {
    ...config,
    ...settings,
    environment: here,
    data: absolute(config.data, folder),
    folder,
    digest: createHash('sha256').update(bytes).digest('hex'),
    commit: await commitOf(folder),
  };
}

export function parseConfig(text: string, name: string): PawlYaml {
  const yaml = readYaml(text);
  if (!('value' in yaml)) throw invalid(name, yaml);
  const parsed = pawlYaml.safeParse(yaml.value);
  if (!parsed.success) throw invalid(name, problemsOf(parsed.error.issues, yaml, pawlYaml));
  const problems = conditionProblems(parsed.data, yaml);
  if (problems.length > 0) throw invalid(name, problems);
  return parsed.data;
}

export interface ServiceFile {
  readonly service: string;
  readonly file: string;
}

/** pawl.yaml of the home, and one in each folder of services/. */
export async function findServices(home: string): Promise<readonly ServiceFile[]> {
  const { config, services } = homePaths(home);
  const folders = await readdir(services).catch(() => []);
  const files = [config, ...folders.sort().map((name) => join(services, name, 'pawl.yaml'))];
  const found: ServiceFile[] = [];
  for (const file of files) {
    const text = await readIfThere(file);
    if (text === null) continue;
    const service = nameIn(text) ?? basename(dirname(resolve(file)));
    const twin = found.find((other) => other.service === service);
    if (twin) {
      throw new PawlError(
        'ConfigInvalid',
        `${nameOf(twin.file)} and ${nameOf(file)} both describe the service ${service}.`,
        {
          hint: 'Give one of them another name in its `service:` line.',
        },
      );
    }
    found.push({ service, file });
  }
  return found;
}

export async function serviceNamed(
  home: string,
  service: string,
  environment: Environment | null = null,
): Promise<ServiceConfig> {
  const found = (await findServices(home)).find((one) => one.service === service);
  if (found) return loadService(found.file, environment);
  throw new PawlError('NotFound', `No pawl.yaml in ${home} describes the service ${service}.`, {
    hint: `\`pawl init --service ${service}\` writes one.`,
  });
}

/** Only a file that is not there is no service; one that cannot be read must not make its service vanish. */
const readIfThere = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT' || cause.code === 'ENOTDIR') return null;
    throw new PawlError('ConfigInvalid', `${nameOf(file)} cannot be read: ${cause.message}`, {
      hint: 'Make it a file that this user may read.',
      cause,
    });
  });

/** Read off the line, not off the parsed file: a broken file must not hide its service from `pawl kill`. */
function nameIn(text: string): string | null {
  const name = /^service:\s*(["']?)([^\s"'#]+)\1/m.exec(text)?.[2];
  return name && SERVICE_NAME.test(name) ? name : null;
}

function invalid(name: string, problems: readonly Problem[]): PawlError {
  const lines = problems.toSorted((a, b) => a.line - b.line).map(({ line, text }) => `${name}:${line}  ${text}`);
  return new PawlError('ConfigInvalid', lines.join('\n'), { hint: `Correct ${name} and run the command again.` });
}

function absolute({ corpus, queries, judgements }: PawlYaml['data'], folder: string): PawlYaml['data'] {
  const { train, test, live } = judgements;
  return {
    corpus: resolve(folder, corpus),
    queries: resolve(folder, queries),
    judgements: {
      train: resolve(folder, train),
      test: resolve(folder, test),
      ...(live !== undefined && { live: resolve(folder, live) }),
    },
  };
}

/** Outside Git, without Git, and before the first commit there is none. */
async function commitOf(folder: string): Promise<string | null> {
  const answer = await promisify(execFile)('git', ['-C', folder, 'rev-parse', '--verify', 'HEAD']).catch(() => null);
  return answer?.stdout.trim() ?? null;
}

function nameOf(file: string): string {
  const near = relative('.', file);
  return near.startsWith('..') ? file : near;
}
