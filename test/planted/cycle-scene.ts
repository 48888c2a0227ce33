/** Cycles of a copy of the code, with its own workers and workflows, on a Temporal dev server that the file shares. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Worker } from '@temporalio/worker';
import { signToken } from '../../adapters/keys/token.ts';
import type { AbActivities } from '../../contracts/ab.ts';
import type { CanaryActivities } from '../../contracts/canary.ts';
import { guardianId, triggerId } from '../../contracts/ids.ts';
import type { Admission, CycleEnd } from '../../contracts/messages.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import type { StageActivities, StageResult } from '../../contracts/stages.ts';
import type { SignedToken, TokenClaims } from '../../contracts/token.ts';
import '../../drills/quiet-runtime.ts';
import { writeService } from '../../drills/service-home.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { abTo } from '../support/ab.ts';
import { canaryTo } from '../support/canary.ts';
import { testPlan } from '../support/plan.ts';
import type { StartedCycle } from '../support/requests.ts';
import { claimsOf, type Signer, signer } from '../support/signers.ts';
import { stagesTo } from '../support/stages.ts';
import type { Code } from './copies.ts';
import { SERVICE, StoreScene } from './store-scene.ts';

export interface CycleScene {
  readonly store: StoreScene;
  /** A signed token of ada, who may approve. */
  sign(claims: Pick<TokenClaims, 'action' | 'workflow' | 'step' | 'variant' | 'evidence'>): SignedToken;
  readonly started: StartedCycle;
}
interface Scripted {
  readonly plan?: Partial<CyclePlan>;
  readonly stages?: Partial<StageActivities>;
  /** What an A/B evaluation and a canary find, where the plan has them. */
  readonly canary?: Partial<CanaryActivities>;
  readonly ab?: (store: StoreScene) => Partial<AbActivities>;
}

let runs = 0;

/** What the checker says when a cycle has ended, and `act` has done what a person does meanwhile. */
export const cycleChecked =
  (
    env: () => TestWorkflowEnvironment,
    script: Scripted,
    act: (scene: CycleScene) => Promise<readonly string[]> = async () => [],
  ) =>
  async (code: Code): Promise<readonly string[]> => {
    const { client, nativeConnection } = env();
    const store = await StoreScene.armed(code, 'real');
    writeService(store.home, SERVICE, {});
    const ada = signer('ada', 'approver');
    writeFileSync(join(store.home, 'people.json'), JSON.stringify({ people: [ada.person] }));
    const [{ openHome }, { controlActivities }, { evidenceActivities }, { environmentAt }] = await Promise.all([
      code.load<typeof import('../../workers/home.ts')>('workers/home.ts'),
      code.load<typeof import('../../workers/control.ts')>('workers/control.ts'),
      code.load<typeof import('../../workers/data.ts')>('workers/data.ts'),
      code.load<typeof import('../../infra/setup/environment.ts')>('infra/setup/environment.ts'),
    ]);
    const deps = openHome(environmentAt(store.home));
    const shared = { connection: nativeConnection, dataConverter };
    const workers = await Promise.all([
      Worker.create({
        ...shared,
        taskQueue: queues.control,
        workflowBundle: await bundleOf(code),
        activities: {
          ...controlActivities(deps, store.home, client),
          readPlan: async () => testPlan(script.plan),
        },
      }),
      Worker.create({
        ...shared,
        taskQueue: queues.data,
        activities: {
          ...stagesOf(store, script.stages),
          ...evidenceActivities(deps, store.home),
          ...canaryTo(store.control, { ...keepingIn(store), ...script.canary }),
          ...abTo({ ...keepingIn(store), ...script.ab?.(store) }),
        },
      }),
    ]);
    const running = workers.map((worker) => worker.run());
    try {
      const admission: Admission = await client.workflow.execute('trigger', {
        workflowId: triggerId(SERVICE, `planted-${++runs}`),
        taskQueue: queues.control,
        args: [{ service: SERVICE, trigger: 'gate', reason: 'for the test' }],
      });
      if (!admission.admitted) throw new Error(`not admitted: ${admission.because}`);
      const handle = client.workflow.getHandle<() => Promise<CycleEnd>>(admission.workflowId);
      const seen = await act({ store, sign: signing(ada), started: { cycle: admission.cycle, handle } });
      await handle.result();
      return [...seen, ...store.broken()];
    } finally {
      // The next copy has guardians and cycles of its own.
      await client.workflow.getHandle(guardianId(SERVICE)).terminate();
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      deps.close();
      store.end();
    }
  };

const keepingIn = ({ artifacts }: StoreScene) => ({
  keepCanary: (report: object) => artifacts.putJson(report),
  keepAb: (report: object) => artifacts.putJson(report),
});

const signing =
  (by: Signer): CycleScene['sign'] =>
  (claims) => {
    const [issuedAt, expiresAt] = [new Date().toISOString(), new Date(Date.now() + 600_000).toISOString()];
    return signToken(by.privateKey, claimsOf(by, { issuedAt, expiresAt, nonce: crypto.randomUUID(), ...claims }));
  };

const bundleOf = (code: Code) =>
  bundleWorkflowCode({
    workflowsPath: `${code.folder}/workflows/index.ts`,
    payloadConverterPath: `${code.folder}/contracts/payload-converter.ts`,
    logger: new DefaultLogger('ERROR'),
  });

/** As the test's own stages, with evidence that is there. */
const stagesOf = ({ challenger, artifacts }: StoreScene, script: Partial<StageActivities> = {}): object =>
  Object.fromEntries(
    Object.entries(stagesTo(challenger, script)).map(([name, stage]) => [
      name,
      async (input: never): Promise<StageResult> => {
        const result = await stage(input);
        return { ...result, evidence: await artifacts.putJson({ stage: name, ...result }) };
      },
    ]),
  );
