/**
 * A home with small judged search services that are vouched for and armed: what `pawl init`, `gold set`, `rearm` leave.
 * Drills and tests have one to themselves; it is never the user's own.
 */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderArtifacts } from '../adapters/artifacts/folder.ts';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import { sqliteControl } from '../adapters/control/sqlite.ts';
import { homePaths } from '../adapters/home.ts';
import { createOperatorKey, readOperatorKey } from '../adapters/keys/operator-key.ts';
import { signToken } from '../adapters/keys/token.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../adapters/lexical/variant.ts';
import { loadService } from '../adapters/service/config.ts';
import { readJudgedQueries } from '../adapters/service/data.ts';
import type { TokenClaims } from '../contracts/token.ts';
import type { SearchSettings } from '../contracts/variant.ts';
import { writeSearchData } from './search-data.ts';

export const SERVICE = 'docs';

/** Parts of pawl.yaml that a trial sets otherwise, as lines of YAML. */
export type HomeSettings = Readonly<Record<string, string>>;

/** What visitors ask, and what they should find. */
export interface Wish {
  readonly text: string;
  readonly document: string;
}

export interface ServiceHome {
  readonly home: string;
  readonly control: ControlStore;
  /** Champion of the first service at first, and its gold. Training finds a better one, so that a cycle is promoted. */
  readonly gold: string;
  readonly wishes: readonly Wish[];
  sign(claims: Pick<TokenClaims, 'action' | 'workflow' | 'step' | 'variant' | 'evidence'>): string;
}

const SETTINGS: HomeSettings = {
  environment: 'staging',
  approval: '{ required: false }',
  gates: '{ ndcg: { metric: ndcg, drop: 3%, samples: 20, window: 1m } }',
  training: '{ trials: 60, time: 20s, seed: 7 }',
  deploy: '{ share: 50% }',
  watch: '{ for: 2s, samples: 20, maxDrop: 3% }',
  limits: '{ cyclesPerDay: 1000, cooldown: 0s, running: 2 }',
};

/** Whoever sets a trial up in the store itself: nobody who would have to sign for it. */
export const DRILL = { kind: 'drill', name: 'drill' } as const;

export interface HomeOptions {
  readonly settings?: HomeSettings;
  /** Where the artifacts lie, when not in the home. */
  readonly artifacts?: string;
  /** What its champions search by at first. */
  readonly search?: SearchSettings;
  /** More than one stand in services/. */
  readonly services?: readonly [string, ...string[]];
}

export const makeServiceHome = async (options: HomeOptions = {}): Promise<ServiceHome> => {
  const { settings = {}, artifacts, search, services = [SERVICE] } = options;
  const home = mkdtempSync(join(tmpdir(), 'pawl-home-'));
  const paths = homePaths(home);
  mkdirSync(paths.state);
  if (artifacts !== undefined) symlinkSync(artifacts, paths.artifacts);
  await createOperatorKey(home, { name: 'ada' });

  const control = sqliteControl(paths.control);
  const kept = folderArtifacts(paths.artifacts);
  const made: Array<{ readonly file: string; readonly gold: string }> = [];
  for (const service of services) {
    const folder = services.length === 1 ? home : join(paths.services, service);
    const file = writeService(folder, service, settings);
    made.push({ file, gold: await enrol(control, kept, service, search) });
  }

  const live = await readJudgedQueries(await loadService(made[0]?.file ?? ''), 'live');
  return {
    home,
    control,
    gold: made[0]?.gold ?? '',
    wishes: live.map(({ text, judgements: judged }) => ({ text, document: Object.keys(judged)[0] ?? '' })),
    sign: await signerOf(home),
  };
};

/** Writes a service with data of its own; answers with its pawl.yaml. */
export const writeService = (folder: string, service: string, settings: HomeSettings): string => {
  const { corpus, queries, judgements } = writeSearchData(folder);
  const data = JSON.stringify({ corpus, queries, judgements });
  const lines = Object.entries({ service, data, ...SETTINGS, ...settings });
  const file = join(folder, 'pawl.yaml');
  writeFileSync(file, lines.map(([key, value]) => `${key}: ${value}\n`).join(''));
  return file;
};

/** Makes a service known, usually with the settings that everybody starts with, vouched for and armed; answers with that variant. */
export const enrol = async (
  control: ControlStore,
  artifacts: ArtifactStore,
  service: string,
  search = DEFAULT_SETTINGS,
): Promise<string> => {
  const variant = await saveVariant(artifacts, service, search);
  await control.addVariant({ ...variant, service, origin: 'init', createdAt: new Date().toISOString() });
  const order = { service, actor: { kind: 'drill', name: 'ada' }, reason: 'a trial' };
  await control.register({ ...order, key: `${service}/register`, champion: variant.id });
  await control.setGold({ ...order, key: `${service}/gold`, variant: variant.id });
  await control.arm({ ...order, key: `${service}/arm` });
  return variant.id;
};

/** Signs as the one person whom the home knows. */
export const signerOf = async (home: string): Promise<ServiceHome['sign']> => {
  const { privateKey, kid } = await readOperatorKey(home);
  return (bound) =>
    signToken(privateKey, {
      ...bound,
      v: 1,
      kid,
      person: 'ada',
      role: 'admin',
      reason: 'looks right',
      issuedAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + 600_000).toISOString(),
      nonce: crypto.randomUUID(),
    });
};
