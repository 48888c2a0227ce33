/** A home with a small judged search service that is vouched for and armed: what `pawl init`, `gold set`, `rearm` leave. */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { homePaths } from '../../adapters/home.ts';
import { createOperatorKey, readOperatorKey } from '../../adapters/keys/operator-key.ts';
import { signToken } from '../../adapters/keys/token.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import { loadService } from '../../adapters/service/config.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import type { Wish } from '../../infra/story/visitors.ts';
import { writeSearchData } from './search-data.ts';

export const SERVICE = 'docs';

/** Parts of pawl.yaml that a trial sets otherwise, as lines of YAML. */
export type HomeSettings = Readonly<Record<string, string>>;

export interface ServiceHome {
  readonly home: string;
  readonly control: ControlStore;
  /** Champion at first, and gold. Training finds a better one, so that a cycle goes through to a promotion. */
  readonly gold: string;
  /** What visitors ask, and what they should find. */
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

export interface HomeOptions {
  readonly settings?: HomeSettings;
  /** Where the artifacts lie, when not in the home. */
  readonly artifacts?: string;
}

export const makeServiceHome = async ({ settings = {}, artifacts }: HomeOptions = {}): Promise<ServiceHome> => {
  const home = mkdtempSync(join(tmpdir(), 'pawl-home-'));
  const paths = homePaths(home);
  const { corpus, queries, judgements } = writeSearchData(home);
  const data = JSON.stringify({ corpus, queries, judgements });
  const lines = Object.entries({ service: SERVICE, data, ...SETTINGS, ...settings });
  writeFileSync(paths.config, lines.map(([key, value]) => `${key}: ${value}\n`).join(''));
  mkdirSync(paths.state);
  if (artifacts !== undefined) symlinkSync(artifacts, paths.artifacts);
  const person = await createOperatorKey(home, { name: 'ada' });
  const { privateKey } = await readOperatorKey(home);

  const control = sqliteControl(paths.control);
  const variant = await saveVariant(folderArtifacts(paths.artifacts), SERVICE, DEFAULT_SETTINGS);
  await control.addVariant({ ...variant, service: SERVICE, origin: 'init', createdAt: new Date().toISOString() });
  const order = { service: SERVICE, actor: { kind: 'person', name: 'ada' }, reason: 'a trial' };
  await control.register({ ...order, key: 'register', champion: variant.id });
  await control.setGold({ ...order, key: 'gold', variant: variant.id });
  await control.arm({ ...order, key: 'arm' });

  const live = await readJudgedQueries(await loadService(paths.config), 'live');
  return {
    home,
    control,
    gold: variant.id,
    wishes: live.map(({ text, judgements: judged }) => ({ text, document: Object.keys(judged)[0] ?? '' })),
    sign: (bound) =>
      signToken(privateKey, {
        ...bound,
        v: 1,
        kid: person.kid,
        person: person.name,
        role: person.role,
        reason: 'looks right',
        issuedAt: new Date().toISOString(),
        expiresAt: new Date(Date.now() + 600_000).toISOString(),
        nonce: crypto.randomUUID(),
      }),
  };
};
