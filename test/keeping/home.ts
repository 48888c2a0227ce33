/** A home with a service, its store, and a clock of its own, for what keeps homes. */
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { type GcOrder, gc } from '../../adapters/keeping/gc.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { LedgerEntry } from '../../contracts/control.ts';
import { writeSearchData } from '../../drills/search-data.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export const SERVICE = 'docs';
export const DAY = 86_400_000;
const actor = { kind: 'person', name: 'ada' };

export const keptHome = async () => {
  const home = temporaryFolder();
  const paths = homePaths(home);
  const { corpus, queries, judgements } = writeSearchData(home);
  writeFileSync(
    paths.config,
    `service: ${SERVICE}\nenvironment: staging\ndata: ${JSON.stringify({ corpus, queries, judgements })}\n`,
  );
  mkdirSync(paths.state);
  const clock = { now: Date.now() };
  const control = sqliteControl(paths.control, () => clock.now);
  onTestFinished(() => control.close());
  const artifacts = folderArtifacts(paths.artifacts);

  let keys = 0;
  const order = (over: object = {}) => ({ key: `key-${++keys}`, service: SERVICE, actor, reason: 'because', ...over });
  const addVariant = async (settings: Partial<typeof DEFAULT_SETTINGS>) => {
    const saved = await saveVariant(artifacts, SERVICE, { ...DEFAULT_SETTINGS, ...settings });
    await control.addVariant({ ...saved, service: SERVICE, origin: 'init', createdAt: new Date().toISOString() });
    return saved.id;
  };
  const note = (entry: Partial<LedgerEntry>) =>
    control.note({ ...order(), cycle: null, kind: 'noted', body: {}, ...entry } as LedgerEntry);
  const champion = await addVariant({});
  await control.register({ ...order(), champion });
  await control.setGold({ ...order(), variant: champion });
  await control.arm(order());

  const fileOf = ({ sha256 }: Pick<ArtifactRef, 'sha256'>) => artifactPath(paths.artifacts, sha256);
  const age = (path: string, days: number): void => {
    const then = new Date(clock.now - days * DAY);
    utimesSync(path, then, then);
  };
  return {
    home,
    paths,
    clock,
    control,
    artifacts,
    champion,
    order,
    addVariant,
    note,
    fileOf,
    age,
    has: (ref: ArtifactRef) => existsSync(fileOf(ref)),
    /** An artifact that was written so many days ago. */
    old: async (value: unknown, days = 30): Promise<ArtifactRef> => {
      const ref = await artifacts.putJson(value);
      age(fileOf(ref), days);
      return ref;
    },
    index: (name: string, days = 30): string => {
      mkdirSync(paths.indexes, { recursive: true });
      const path = join(paths.indexes, name);
      writeFileSync(path, 'an index');
      age(path, days);
      return path;
    },
    gc: async (over: Partial<GcOrder> = {}) =>
      gc(
        { paths, control, artifacts, services: await servicesOf(home, null).all(), now: () => clock.now },
        { olderThanMs: 7 * DAY, dryRun: false, actor, reason: 'a test', ...over },
      ),
  };
};
