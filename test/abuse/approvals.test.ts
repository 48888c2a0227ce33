/**
 * Approvals by whoever may not, on a real Temporal server. Each comes as an update and as a signal, is refused with its
 * reason where the sender or the next reader sees it, moves nothing, and leaves the right token as good as before.
 */
import { describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { readOperatorKey } from '../../adapters/keys/operator-key.ts';
import { revokePerson } from '../../adapters/keys/people.ts';
import { signToken } from '../../adapters/keys/token.ts';
import type { TriggerInput } from '../../contracts/guardian.ts';
import { cycleWorkflowId, guardianId, triggerId } from '../../contracts/ids.ts';
import { type Admission, approveUpdate, type CycleInput, resumeUpdate } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { guardedService } from '../support/guarded-service.ts';
import { testPlan } from '../support/plan.ts';
import { eventually, type StartedCycle, startCycle, statusOf } from '../support/requests.ts';
import { signer } from '../support/signers.ts';
import { challengerOf, championOf } from '../support/world.ts';

const scene = guardedService();

interface Waiting extends StartedCycle {
  /** What a good token of it says. */
  readonly right: Bound;
}
type Bound = Pick<TokenClaims, 'action' | 'workflow' | 'step' | 'variant' | 'evidence'>;

const waitingIn = async (started: StartedCycle): Promise<Waiting> => {
  const { approval } = await eventually(
    () => statusOf(started.handle),
    (now) => now.approval !== null,
  );
  if (!approval) throw new Error('unreachable');
  const { step, variant, evidence } = approval;
  return { ...started, right: { action: 'approve', workflow: started.handle.workflowId, step, variant, evidence } };
};

const waiting = async (): Promise<Waiting> => {
  scene.world.plan = testPlan({ approval: { expiresMs: 600_000 } });
  return waitingIn(await startCycle(scene.world, scene.service));
};

/** What the workflow shows of itself in Temporal's Web UI. */
const shownBy = async ({ handle }: StartedCycle): Promise<string> =>
  (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;

const refusedWith = async (cycle: Waiting, token: unknown, because: string): Promise<void> => {
  const { handle } = cycle;
  const answer = await handle.executeUpdate(approveUpdate, { args: [{ token: token as string }] });
  expect(answer).toEqual({ accepted: false, because: expect.stringContaining(because) });
  await handle.signal('approve', { token });
  await eventually(
    () => shownBy(cycle),
    (shown) => shown.includes('refused message: approve: ') && shown.includes(because),
  );
  await nothingMoved(cycle);
};

const nothingMoved = async ({ handle }: StartedCycle): Promise<void> => {
  const { approval, end } = await statusOf(handle);
  expect({ waits: approval !== null, end }).toEqual({ waits: true, end: null });
  expect((await scene.state())?.arms).toEqual([{ variant: championOf(scene.service), share: 1 }]);
  const rows = await scene.world.control.ledger({ service: scene.service });
  expect(rows.filter(({ kind, body }) => kind === 'decision' && body.action === 'approve' && body.allowed)).toEqual([]);
};

const approvedBy = async ({ handle }: StartedCycle, token: string): Promise<void> => {
  expect(await handle.executeUpdate(approveUpdate, { args: [{ token }] })).toMatchObject({ accepted: true });
  expect(await handle.result()).toMatchObject({ outcome: 'promoted', challenger: challengerOf(scene.service) });
};

/** The claims that a good token of ada carries. */
const claimsIn = (token: string): TokenClaims =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
const adasKey = async () => (await readOperatorKey(scene.world.home)).privateKey;
const hours = (n: number): string => new Date(Date.now() + n * 3_600_000).toISOString();

type Forging = (right: Bound) => string | Promise<string>;
const attacks: ReadonlyArray<readonly [name: string, because: string, forge: Forging]> = [
  [
    'forged with another key under the name and kid of a person',
    'its signature does not match its content',
    (right) => signToken(signer().privateKey, claimsIn(scene.world.sign(right))),
  ],
  [
    'whose claims were edited after it was signed',
    'its signature does not match its content',
    (right) => {
      const [payload = '', signature] = scene.world.sign({ ...right, variant: 'c3' }).split('.');
      const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), variant: right.variant };
      return `${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`;
    },
  ],
  [
    'self-made: signed by a key that is not in people.json',
    'it is signed by a key that is not in people.json',
    (right) => {
      const eve = signer('eve', 'admin');
      const { kid, name: person } = eve.person;
      return signToken(eve.privateKey, { ...claimsIn(scene.world.sign(right)), kid, person, role: 'admin' });
    },
  ],
  ['that has expired', 'it expired at', (right) => scene.world.sign({ ...right, expiresAt: hours(-1) })],
  ['dated in the future', 'which is in the future', (right) => scene.world.sign({ ...right, issuedAt: hours(1) })],
  [
    'for another step',
    'it is for step watch',
    (right) => scene.world.sign({ ...right, step: 'watch' satisfies Stage }),
  ],
  ['for another variant', 'it is for variant', (right) => scene.world.sign({ ...right, variant: '0'.repeat(64) })],
  ['on other evidence', 'it is for evidence', (right) => scene.world.sign({ ...right, evidence: '0'.repeat(64) })],
  ['for another action', 'it is for action skip', (right) => scene.world.sign({ ...right, action: 'skip' })],
  ['in the name of another', 'its key belongs to ada', (right) => scene.world.sign({ ...right, person: 'grace' })],
  ['in a role that is not theirs', 'not to ada (owner)', (right) => scene.world.sign({ ...right, role: 'owner' })],
  ['that is a text like any other', 'this is not a token of Pawl', () => 'approve it, please'],
];

describe('an approval is refused with its reason, moves nothing, and the right one still works:', () => {
  test.each(attacks)('a token %s', async (_, because, forge) => {
    const cycle = await waiting();
    await refusedWith(cycle, await forge(cycle.right), because);
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('a token of another cycle, which stays good for its own', async () => {
    const first = await waiting();
    const token = scene.world.sign(first.right);
    const second = await waiting();
    await refusedWith(second, token, `it is for workflow ${first.right.workflow}`);
    await second.handle.signal('abort', { reason: 'over' });
    await second.handle.result();
    await approvedBy(first, token);
  });

  test('a token that was used before', async () => {
    const cycle = await waiting();
    const bound = { workflow: cycle.right.workflow, step: null, variant: null, evidence: null };
    const token = scene.world.sign({ action: 'resume', ...bound });
    const resume = () => cycle.handle.executeUpdate(resumeUpdate, { args: [{ token }] });
    await cycle.handle.signal('pause', {});
    expect(await resume()).toMatchObject({ accepted: true });
    await cycle.handle.signal('pause', {});
    expect(await resume()).toEqual({ accepted: false, because: expect.stringContaining('it was used before') });
    expect(await statusOf(cycle.handle)).toMatchObject({ paused: true });
    const another = scene.world.sign({ action: 'resume', ...bound });
    await cycle.handle.executeUpdate(resumeUpdate, { args: [{ token: another }] });
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('a token of somebody who was revoked after they had signed it, at once', async () => {
    const sign = await scene.world.person('ruth', 'approver');
    const cycle = await waiting();
    const token = sign(cycle.right);
    await revokePerson(scene.world.home, 'ruth', 'laptop stolen', new Date().toISOString());
    await refusedWith(cycle, token, 'laptop stolen');
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('abuse 22: a viewer promotes', async () => {
    const sign = await scene.world.person('vera', 'viewer');
    const cycle = await waiting();
    await refusedWith(cycle, sign(cycle.right), 'vera');
    expect(await whoWasRefused()).toEqual(['vera']);
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('abuse 23: somebody approves what they asked for', async () => {
    scene.world.plan = testPlan({ approval: { expiresMs: 600_000 } });
    const sign = await scene.world.person('sara', 'operator', 'approver', 'admin');
    const { service } = scene;
    const token = sign({ action: 'start', workflow: guardianId(service) });
    const admission = await scene.world.client.workflow.execute<(input: TriggerInput) => Promise<Admission>>(
      'trigger',
      {
        workflowId: triggerId(service, 'by-sara'),
        taskQueue: queues.control,
        args: [{ service, requestedBy: { kind: 'person', name: 'sara' }, token }],
      },
    );
    if (!admission.admitted) throw new Error(admission.because);
    const handle: StartedCycle['handle'] = scene.world.client.workflow.getHandle(admission.workflowId);
    const cycle = await waitingIn({ cycle: admission.cycle, handle });
    await refusedWith(cycle, sign(cycle.right), 'nobody approves what they asked for');
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });
});

/** Of the refusals for which somebody can be held to it. */
const whoWasRefused = async (): Promise<readonly string[]> => {
  const rows = await scene.world.control.ledger({ service: scene.service });
  const refused = rows.filter(({ kind, body }) => kind === 'decision' && body.allowed === false);
  return [...new Set(refused.map(({ actor }) => actor.name))];
};

describe('abuse 26: a signal sent past the gateway', () => {
  test('loosens nothing, whatever it says of itself', async () => {
    const cycle = await waiting();
    const { handle } = cycle;
    for (const message of [undefined, 'approved', { by: 'ada', reason: 'ok' }, { token: { ...cycle.right } }, [true]]) {
      await handle.signal('approve', message);
      await handle.signal('resume', message);
      await handle.signal('skip', message);
    }
    await handle.signal('laneFree');
    await handle.signal('promote', { variant: challengerOf(scene.service) });
    await eventually(
      () => shownBy(cycle),
      (shown) => shown.includes('promote: a cycle knows no such message'),
    );
    await nothingMoved(cycle);
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('cannot end a cycle for the guardian, or give a stranger its traffic lane', async () => {
    const cycle = await waiting();
    const end = { outcome: 'promoted', because: 'says who?', challenger: null, champion: null };
    await scene.guardian().signal('report', { cycle: 'si_2026_01_01_999', end });
    expect(await scene.guardian().executeUpdate('lane', { args: [{ cycle: 'si_2026_01_01_999' }] })).toMatchObject({
      granted: false,
    });
    await nothingMoved(cycle);
    await approvedBy(cycle, scene.world.sign(cycle.right));
  });

  test('cannot start a cycle around the guardian that moves anything, even one whose plan asks nobody', async () => {
    const { service, world } = scene;
    await scene.startGuardian({});
    const workflowId = cycleWorkflowId(service, 'si_2026_01_01_998');
    const input: CycleInput = {
      service,
      cycle: 'si_2026_01_01_998',
      request: { key: 'mine', trigger: 'hand', requestedBy: { kind: 'person', name: 'ada' }, reason: 'trust me' },
      plan: testPlan(),
      champion: championOf(service),
      epoch: 0,
    };
    const end = await world.client.workflow.execute<(input: CycleInput) => Promise<unknown>>('improvementCycle', {
      workflowId,
      taskQueue: queues.control,
      args: [input],
    });
    expect(end).toMatchObject({ outcome: 'failed', because: expect.stringContaining('the traffic lane was refused') });
    expect(await scene.state()).toMatchObject({
      champion: championOf(service),
      arms: [{ variant: championOf(service), share: 1 }],
    });
  });
});

test('abuse 64: nothing of a private key comes into a history or the ledger', async () => {
  const cycle = await waiting();
  await approvedBy(cycle, scene.world.sign(cycle.right));
  const pem = (await adasKey()).export({ type: 'pkcs8', format: 'pem' }).toString().split('\n')[1] ?? '';
  const seed = (await adasKey()).export({ format: 'jwk' }).d ?? '';
  const { events } = await cycle.handle.fetchHistory();
  const history = JSON.stringify(events?.map((event) => decoded(JSON.parse(JSON.stringify(event)))));
  const rows = JSON.stringify(await scene.world.control.ledger({ service: scene.service }));
  expect(history).toContain('looks right');
  for (const text of [history, rows]) {
    for (const secret of [pem, seed, homePaths(scene.world.home).operatorKey]) expect(text).not.toContain(secret);
  }
});

/** Payloads stand in base64 in a history's JSON. */
const decoded = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === 'data' && typeof inner === 'string' ? Buffer.from(inner, 'base64').toString() : decoded(inner),
    ]),
  );
};
