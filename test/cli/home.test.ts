import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findHome, newHome } from '../../cli/home.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const nowhere = { flag: undefined, variable: undefined };
const withYaml = (folder: string): string => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'pawl.yaml'), '');
  return folder;
};

test('--home wins over PAWL_HOME, and that over every folder', () => {
  const folder = withYaml(temporaryFolder());
  expect(findHome({ flag: 'here', variable: '/there', folder })?.folder).toBe(join(folder, 'here'));
  expect(findHome({ flag: undefined, variable: '/there', folder })?.folder).toBe('/there');
  expect(findHome({ flag: undefined, variable: '', folder })?.folder).toBe(folder);
});

test('the nearest folder upwards with pawl.yaml or services/ is the home', () => {
  const outer = withYaml(temporaryFolder());
  const inner = join(outer, 'team');
  mkdirSync(join(inner, 'services', 'docs', 'data'), { recursive: true });
  mkdirSync(join(outer, 'other', 'deep'), { recursive: true });
  expect(findHome({ ...nowhere, folder: join(inner, 'services', 'docs', 'data') })).toEqual({
    folder: inner,
    notice: null,
  });
  expect(findHome({ ...nowhere, folder: join(outer, 'other', 'deep') })).toEqual({ folder: outer, notice: null });
});

test('a new home is made where one stands, even below another home', () => {
  const outer = withYaml(temporaryFolder());
  const inner = join(outer, 'new');
  expect(newHome({ ...nowhere, folder: inner })).toBe(inner);
  expect(newHome({ ...nowhere, flag: 'named', folder: inner })).toBe(join(inner, 'named'));
});
