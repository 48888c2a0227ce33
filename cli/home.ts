import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { homePaths } from '../adapters/home.ts';
import { PawlError } from '../contracts/failures.ts';

export interface HomeSources {
  /** --home */
  readonly flag: string | undefined;
  /** PAWL_HOME */
  readonly variable: string | undefined;
  readonly folder: string;
}

export interface Home {
  readonly folder: string;
  /** Said on stderr, where the home is one that nobody asked for. */
  readonly notice: string | null;
}

/** A home that is named is taken as it is; otherwise the nearest one upwards, and last the story's. */
export const findHome = (sources: HomeSources): Home | null => {
  const { folder } = sources;
  const named = namedHome(sources);
  if (named !== null) return { folder: named, notice: null };
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (isHome(at)) return { folder: at, notice: null };
    if (at === dirname(at)) break;
  }
  const story = resolve(folder, '.pawl', 'story');
  if (isHome(story)) return { folder: story, notice: `Using the home of the story, ${story} (--home names another).` };
  return null;
};

/** A new home is made where a person stands, never in a folder above. */
export const newHome = (sources: HomeSources): string => namedHome(sources) ?? resolve(sources.folder);

const namedHome = ({ flag, variable, folder }: HomeSources): string | null => {
  const named = flag ?? variable;
  return named === undefined || named === '' ? null : resolve(folder, named);
};

export const needHome = (sources: HomeSources): Home => {
  const home = findHome(sources);
  if (home) return home;
  throw new PawlError('NotFound', `There is no pawl.yaml and no services/ in ${sources.folder} or above it.`, {
    hint: 'Make one with `pawl init`, or name a folder with --home or PAWL_HOME.',
  });
};

const isHome = (folder: string): boolean => {
  const { config, services } = homePaths(folder);
  return existsSync(config) || existsSync(services);
};
