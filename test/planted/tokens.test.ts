/** Bugs in what looks at signatures, asks the policy and records the answer. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describePlants, type Plant } from './plant.ts';
import { CYCLE } from './store-scene.ts';
import { signedAndChecked, type TokenScene } from './token-scene.ts';

const TOKEN = 'adapters/keys/token.ts';
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * HOUR_MS).toISOString();

/** A cycle that one person must approve, what people do, and its end. */
const asked = (decide: (scene: TokenScene) => Promise<unknown>) =>
  signedAndChecked(async (scene) => {
    await scene.start();
    await scene.store.admitted(CYCLE, { approval: { expiresMs: HOUR_MS } });
    await decide(scene);
    await scene.store.ended('rejected');
    return undefined;
  });

const plants: readonly Plant[] = [
  {
    bug: 'a nonce that is not spent',
    edits: [
      {
        file: 'adapters/control/rulings.ts',
        from: 'spending === undefined || isMine(draft, spending, use.key) ? first : spending.otherwise',
        to: 'first',
      },
    ],
    run: asked(async (scene) => {
      const token = scene.token();
      await scene.approve(token);
      await scene.approve(token);
    }),
    foundBy: 'a token counts once',
  },
  {
    bug: 'a token that is not bound to the evidence that its signer looked at',
    edits: [
      {
        file: 'activities/rulings.ts',
        from: "const BOUND = ['action', 'workflow', 'step', 'variant', 'evidence'] as const;",
        to: "const BOUND = ['action', 'workflow', 'step', 'variant'] as const;",
      },
    ],
    run: asked((scene) => scene.approve(scene.token({ evidence: 'f'.repeat(64) }))),
    foundBy: 'a token allows what was signed, and nothing else',
  },
  {
    bug: 'a token that never expires',
    edits: [{ file: TOKEN, from: 'if (expires <= now)', to: 'if (expires <= issued)' }],
    run: asked((scene) => scene.approve(scene.token({ issuedAt: hoursAgo(3), expiresAt: hoursAgo(2) }))),
    foundBy: 'a token counts while it is valid',
  },
  {
    bug: 'a key that still counts after it was revoked',
    edits: [{ file: TOKEN, from: 'if (signer.revoked) return', to: 'if (signer.revoked && now < 0) return' }],
    run: asked((scene) => {
      scene.writePeople({ at: hoursAgo(1), reason: 'the laptop was lost' });
      return scene.approve(scene.token());
    }),
    foundBy: 'nobody decides after they were revoked',
  },
  {
    bug: 'a role that people give themselves',
    edits: [{ file: TOKEN, from: '|| !signer.roles.includes(claims.role)', to: '' }],
    run: asked((scene) => scene.approve(scene.token({ role: 'admin' }))),
    foundBy: 'everybody decides in a role of theirs',
  },
  {
    bug: 'a policy that lets people approve what they asked for',
    edits: [
      {
        file: 'infra/policies/conditions.cedar',
        from: 'unless { context.requestedBy.name != principal.name };',
        to: 'unless { context.requestedBy.name != "" };',
      },
    ],
    run: signedAndChecked(async (scene) => {
      const requestedBy = { kind: 'person', name: 'ada' };
      await scene.start();
      await scene.store.admitted(CYCLE, { approval: { expiresMs: HOUR_MS } }, requestedBy);
      await scene.approve(scene.token(), requestedBy);
      await scene.store.ended('rejected');
      return undefined;
    }),
    foundBy: 'nobody approves what they asked for',
  },
  {
    bug: 'a policy that allows what it cannot decide',
    edits: [
      {
        file: 'adapters/policy/cedar.ts',
        from: 'return { id: question.id, allowed: false, policies: [], because, bundle: digest };',
        to: 'return { id: question.id, allowed: true, policies: [], because, bundle: digest };',
      },
    ],
    run: signedAndChecked(async (scene) => {
      const policies = join(scene.store.home, 'policies');
      mkdirSync(policies);
      writeFileSync(join(policies, 'own.cedar'), 'permit (principal, action');
      return (await scene.approve(scene.token())) ? ['seen: a yes of policies that cannot be read'] : [];
    }),
    foundBy: 'seen: a yes of policies that cannot be read',
  },
  {
    bug: 'traffic that moves without asking the policy',
    edits: [
      {
        file: 'activities/control.ts',
        from: '(await whyForbidden(deps, change)) ?? (await routes.whyNot(change))',
        to: 'await routes.whyNot(change)',
      },
    ],
    run: signedAndChecked(async (scene) => {
      const { store, activities } = scene;
      await scene.start();
      await store.admitted(CYCLE, { approval: null });
      const token = await store.grant();
      await activities.shiftTraffic(store.change('deploy', token));
      await activities.shiftTraffic(store.change('promote', token));
      await store.ended('promoted');
      return undefined;
    }),
    foundBy: 'automation moves traffic where the policy allows it',
  },
];

describePlants('in what people sign and the policy allows,', plants);
