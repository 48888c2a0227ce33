/** A home in which a cycle waits for approval, and the activities of a copy of the code that look at tokens and ask the policy. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { signToken } from '../../adapters/keys/token.ts';
import { guardianId } from '../../contracts/ids.ts';
import type { SignedToken, TokenClaims, TokenUse } from '../../contracts/token.ts';
import { writeService } from '../../drills/service-home.ts';
import type { controlActivities } from '../../workers/control.ts';
import { claimsOf, type Signer, signer } from '../support/signers.ts';
import type { Code } from './copies.ts';
import { CYCLE, SERVICE, StoreScene, WORKFLOW } from './store-scene.ts';

const EVALUATION = 'e'.repeat(64);
const MINUTE_MS = 60_000;

export class TokenScene {
  readonly store: StoreScene;
  readonly activities: ReturnType<typeof controlActivities>;
  readonly people: Readonly<Record<'ada' | 'ben', Signer>> = {
    ada: signer('ada', 'approver'),
    ben: signer('ben', 'approver'),
  };
  #uses = 0;

  constructor(store: StoreScene, activities: TokenScene['activities']) {
    this.store = store;
    this.activities = activities;
    this.writePeople();
  }

  /** Ada's key may have been revoked. */
  writePeople(revoked?: { at: string; reason: string }): void {
    const people = Object.values(this.people).map(({ person }) =>
      person.name === 'ada' && revoked ? { ...person, revoked } : person,
    );
    writeFileSync(join(this.store.home, 'people.json'), JSON.stringify({ people }));
  }

  token(over: Partial<TokenClaims> = {}, by = this.people.ada): SignedToken {
    const [issuedAt, expiresAt] = [-MINUTE_MS, MINUTE_MS].map((ms) => new Date(Date.now() + ms).toISOString());
    const { challenger: variant } = this.store;
    const bound = { workflow: WORKFLOW, step: 'approve', variant, evidence: EVALUATION, nonce: crypto.randomUUID() };
    return signToken(
      by.privateKey,
      claimsOf(by, { ...bound, ...(issuedAt && expiresAt && { issuedAt, expiresAt }), ...over }),
    );
  }

  /** As the cycle asks when somebody sends it this token. */
  async approve(token: SignedToken, requestedBy = { kind: 'trigger', name: 'gate' }): Promise<boolean> {
    const { challenger: variant } = this.store;
    const use: TokenUse = {
      ...{ token, action: 'approve', workflow: WORKFLOW, step: 'approve', variant, evidence: EVALUATION },
      key: `${WORKFLOW}/approve/${++this.#uses}`,
      about: { service: SERVICE, cycle: CYCLE, requestedBy, approvedBy: [] },
    };
    return (await this.activities.verifyToken(use)).valid;
  }

  /** As a gate asks for a cycle. */
  async start(): Promise<void> {
    const requestedBy = { kind: 'trigger', name: 'gate' };
    const request = { key: 'start', trigger: 'gate', requestedBy, reason: 'fell' } as const;
    const limits = { cyclesPerDay: 10, cooldownMs: 0, running: 1 };
    const key = `${guardianId(SERVICE)}/1/start`;
    const answer = await this.activities.mayStart({ key, service: SERVICE, request, limits, admittedToday: 0 });
    if (!answer.allowed) throw new Error(`the start was not allowed: ${answer.because}`);
  }
}

/** What the checker says after this; or what `act` has seen itself. */
export const signedAndChecked =
  (act: (scene: TokenScene) => Promise<readonly string[] | undefined>) =>
  async (code: Code): Promise<readonly string[]> => {
    const store = await StoreScene.armed(code, 'real');
    writeService(store.home, SERVICE, { approval: '{ required: true, expires: 1h }' });
    const [{ openHome }, { controlActivities }, { environmentAt }] = await Promise.all([
      code.load<typeof import('../../workers/home.ts')>('workers/home.ts'),
      code.load<typeof import('../../workers/control.ts')>('workers/control.ts'),
      code.load<typeof import('../../infra/setup/environment.ts')>('infra/setup/environment.ts'),
    ]);
    const deps = openHome(environmentAt(store.home));
    // No activity here talks to Temporal.
    const scene = new TokenScene(store, controlActivities(deps, store.home, {} as Client));
    try {
      return (await act(scene)) ?? store.broken();
    } finally {
      deps.close();
      store.end();
    }
  };
