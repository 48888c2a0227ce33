/** A home whose store is that of a copy of the code: a service that is vouched for and armed, and its first cycle. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactStore } from '../../adapters/artifacts/port.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { violationsOf } from '../../check/check.ts';
import type { Arm, FencingToken, StateAnswer, TrafficChange } from '../../contracts/traffic.ts';
import type { Code } from './copies.ts';

export const SERVICE = 'docs';
export const CYCLE = 'si_2026_11_21_001';
export const WORKFLOW = `pawl:${SERVICE}:cycle:${CYCLE}`;
export const NOON = Date.parse('2026-11-21T12:00:00.000Z');

type Step = 'deploy' | 'promote' | 'restore';

export class StoreScene {
  readonly home: string;
  readonly control: ControlStore;
  readonly artifacts: ArtifactStore;
  gold = '';
  challenger = '';
  /** What the clocks say. */
  at = NOON;
  #keys = 0;

  static async open(code: Code): Promise<StoreScene> {
    const scene = await StoreScene.armed(code);
    await scene.admitted();
    return scene;
  }

  /** As it is before its first cycle. Where workflows run, the store's clock is the machine's. */
  static async armed(code: Code, clock: 'its own' | 'real' = 'its own'): Promise<StoreScene> {
    const [{ sqliteControl }, { folderArtifacts }] = await Promise.all([
      code.load<typeof import('../../adapters/control/sqlite.ts')>('adapters/control/sqlite.ts'),
      code.load<typeof import('../../adapters/artifacts/folder.ts')>('adapters/artifacts/folder.ts'),
    ]);
    const scene = new StoreScene(clock === 'real', sqliteControl, folderArtifacts);
    await scene.#begin();
    return scene;
  }

  private constructor(
    real: boolean,
    open: (path: string, now: () => number) => ControlStore,
    artifacts: (folder: string) => ArtifactStore,
  ) {
    this.home = mkdtempSync(join(tmpdir(), 'pawl-planted-'));
    this.control = open(join(this.home, '.pawl', 'control.db'), real ? Date.now : () => this.at);
    this.artifacts = artifacts(join(this.home, '.pawl', 'artifacts'));
  }

  order(reason = 'because') {
    this.at += 1_000;
    return { key: `key-${++this.#keys}`, service: SERVICE, actor: { kind: 'guardian', name: 'guardian' }, reason };
  }

  async #begin(): Promise<void> {
    for (const origin of ['init', CYCLE]) {
      const artifact = await this.artifacts.put(`the variant of ${origin}`);
      const createdAt = new Date(this.at).toISOString();
      await this.control.addVariant({ id: artifact.sha256, service: SERVICE, artifact, origin, createdAt });
      this[origin === 'init' ? 'gold' : 'challenger'] = artifact.sha256;
    }
    await this.control.register({ ...this.order(), champion: this.gold });
    await this.control.setGold({ ...this.order(), variant: this.gold });
    await this.control.arm(this.order());
  }

  async admitted(
    cycle = CYCLE,
    body: Readonly<Record<string, unknown>> = {},
    actor = this.order().actor,
  ): Promise<void> {
    const workflowId = `pawl:${SERVICE}:cycle:${cycle}`;
    await this.control.note({ ...this.order(), actor, kind: 'cycle admitted', cycle, body: { workflowId, ...body } });
  }

  async ended(outcome: string, cycle = CYCLE): Promise<void> {
    const body = { outcome, challenger: this.challenger };
    await this.control.note({ ...this.order(), key: `${cycle}/end`, kind: 'cycle ended', cycle, body });
  }

  async grant(cycle = CYCLE): Promise<FencingToken> {
    const { state } = await this.control.grant({ ...this.order(), cycle });
    return { epoch: state?.epoch ?? -1, promotion: state?.promotion ?? -1 };
  }

  half(): Arm[] {
    return [this.gold, this.challenger].map((variant) => ({ variant, share: 0.5 }));
  }

  shift(reason: Step, token: FencingToken, given?: Arm[]): Promise<StateAnswer> {
    return this.control.shift(this.change(reason, token, given));
  }

  change(reason: Step, token: FencingToken, given?: Arm[]): TrafficChange {
    const variant = reason === 'promote' ? this.challenger : this.gold;
    const arms = given ?? (reason === 'deploy' ? this.half() : [{ variant, share: 1 }]);
    const champion = reason === 'promote' ? { champion: variant } : {};
    const actor = { kind: 'cycle', name: CYCLE };
    return { ...this.order(reason), actor, cycle: CYCLE, token, arms, ...champion };
  }

  async promoted(): Promise<void> {
    const token = await this.grant();
    await this.shift('deploy', token);
    await this.shift('promote', token);
    await this.ended('promoted');
  }

  /** Broken rules; at any moment, because the checker only reads. */
  broken(): string[] {
    return [...new Set(violationsOf(this.home).map(({ rule }) => rule))];
  }

  end(): void {
    this.control.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** What the checker says of a home after this was done to it. */
export const checked =
  (act: (scene: StoreScene, code: Code) => Promise<void>) =>
  async (code: Code): Promise<readonly string[]> => {
    const scene = await StoreScene.open(code);
    try {
      await act(scene, code);
      return scene.broken();
    } finally {
      scene.end();
    }
  };
