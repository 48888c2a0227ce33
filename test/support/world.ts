/**
 * A small world on a real Temporal dev server: a control store in a temporary folder, a service with gold, and workers
 * that run the real workflows. The stages' work is the test's own, brought in the way any service brings its own stages.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { createAdmissionActivities } from '../../activities/admission.ts';
import { createControlActivities } from '../../activities/control.ts';
import { failing } from '../../activities/failure.ts';
import { createStartActivities } from '../../activities/start.ts';
import { createTokenActivities } from '../../activities/tokens.ts';
import { createTrainPermissionActivities } from '../../activities/train-permission.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { createOperatorKey, readOperatorKey } from '../../adapters/keys/operator-key.ts';
import { addPerson, readPeople } from '../../adapters/keys/people.ts';
import { signToken } from '../../adapters/keys/token.ts';
import type { PolicyEngine } from '../../adapters/policy/port.ts';
import type { AbActivities } from '../../contracts/ab.ts';
import type { CanaryActivities } from '../../contracts/canary.ts';
import type { ControlActivities } from '../../contracts/control.ts';
import type { EvidenceActivities, SealOrder } from '../../contracts/evidence.ts';
import type { LoraActivities } from '../../contracts/lora.ts';
import type { Notice } from '../../contracts/notice.ts';
import type { CyclePlan } from '../../contracts/plan.ts';
import { queues } from '../../contracts/queues.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { StageActivities } from '../../contracts/stages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import type { Variant } from '../../contracts/variant.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { testPlan } from './plan.ts';
import { servicesOf, shippedPolicy } from './policy.ts';
import '../../drills/quiet-runtime.ts';
import { abTo } from './ab.ts';
import { canaryTo } from './canary.ts';
import { type FixActivities, fixesTo } from './fixes.ts';
import { loraTo } from './lora.ts';
import { replayEverything } from './replay-everything.ts';
import { signer } from './signers.ts';
import { sealing, stagesTo } from './stages.ts';
import { temporalBinary, workflowBundle } from './temporal.ts';

export const SERVICE = 'docs';
const idOf = (text: string): string => createHash('sha256').update(text).digest('hex');
export const championOf = (service: string): string => idOf(`${service}/champion`);
export const challengerOf = (service: string): string => idOf(`${service}/challenger`);

export interface World {
  readonly client: Client;
  readonly env: TestWorkflowEnvironment;
  readonly control: ControlStore;
  readonly home: string;
  /** The plan that the next admitted cycle gets. */
  plan: CyclePlan;
  /** What the stages do from now on; anything that is not scripted goes through to a promotion. */
  stages: StageActivities;
  /** What the activities of a fine-tune do from now on; anything that is not scripted goes through to an adapter. */
  lora: LoraActivities;
  /** What the activities of a canary find from now on; anything that is not scripted is good. */
  canary: CanaryActivities;
  /** What the activities of an A/B evaluation do from now on. */
  ab: AbActivities;
  /** What fixes look at and have done from now on. */
  fixes: FixActivities;
  /** Asked from now on; Pawl's own policies. Services stand in the environment of the plan. */
  policy: PolicyEngine;
  /** Seals the evidence of the cycles that end from now on. */
  sealEvidence: EvidenceActivities['sealEvidence'];
  /** What happens when people are told something. */
  notify: ControlActivities['notify'];
  /** What they were told, of this service's cycles. */
  told(service: string): readonly Notice[];
  /** A signed token of ada, whom every world knows. */
  readonly sign: Sign;
  /** Adds somebody with a key of their own; answers with how they sign. */
  person(name: string, ...roles: string[]): Promise<Sign>;
  startWorkers(choice?: WorkerChoice): Promise<void>;
  stopWorkers(): Promise<void>;
  end(): Promise<void>;
}
type Sign = (claims: Pick<TokenClaims, 'action' | 'workflow'> & Partial<TokenClaims>) => string;
export interface WorkerChoice {
  readonly maxCachedWorkflows?: number;
}

/** `uiPort`: with Temporal's Web UI. */
export const createWorld = async (
  plan: CyclePlan = testPlan(),
  { uiPort }: { uiPort?: number } = {},
): Promise<World> => {
  const bundle = workflowBundle();
  const home = await mkdtemp(join(tmpdir(), 'pawl-world-'));
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporalBinary() },
      searchAttributes: Object.values(searchAttributes),
      ...(uiPort === undefined ? {} : { ui: true, uiPort }),
    },
    client: { dataConverter },
  });
  const control = sqliteControl(join(home, 'control.db'));
  await registerService(control, SERVICE);
  const person = await createOperatorKey(home, { name: 'ada' });
  const { privateKey } = await readOperatorKey(home);
  const told: Notice[] = [];
  const deps = {
    control,
    people: () => readPeople(home),
    policy: { decide: (question: Parameters<PolicyEngine['decide']>[0]) => world.policy.decide(question) },
    services: servicesOf(() => world.plan),
    now: Date.now,
  };
  let workers: Array<{ worker: Worker; done: Promise<void> }> = [];
  const world: World = {
    client: env.client,
    env,
    control,
    home,
    plan,
    stages: stagesTo(challengerOf(SERVICE)),
    lora: loraTo(),
    canary: canaryTo(control),
    ab: abTo(),
    fixes: fixesTo(control),
    policy: shippedPolicy,
    ...sealing,
    sign: (claims) => signToken(privateKey, { ...claimsOf(person.kid, person.name, person.roles[0] ?? ''), ...claims }),
    notify: async () => undefined,
    told: (of) => told.filter(({ service }) => service === of),
    person: async (name, ...roles) => {
      const { person, privateKey } = signer(name, ...roles);
      await addPerson(home, person);
      return (claims) => signToken(privateKey, { ...claimsOf(person.kid, name, person.roles[0] ?? ''), ...claims });
    },
    startWorkers: async (choice = {}) => {
      const shared = { connection: env.nativeConnection, dataConverter };
      const stage = (name: keyof StageActivities) => (input: never) =>
        (world.stages[name] as (input: never) => Promise<unknown>)(input);
      const lora = (name: keyof LoraActivities) => (input: never) =>
        (world.lora[name] as (input: never) => Promise<unknown>)(input);
      const ab = (name: keyof AbActivities) => (input: never) =>
        (world.ab[name] as (input: never) => Promise<unknown>)(input);
      const fix = (name: keyof FixActivities) => (input: never) =>
        (world.fixes[name] as (input: never) => Promise<unknown>)(input);
      const canary = (name: string) => (order: never) =>
        (world.canary[name as keyof CanaryActivities] as (order: never) => Promise<unknown>)(order);
      const created = await Promise.all([
        Worker.create({
          ...shared,
          ...choice,
          taskQueue: queues.control,
          workflowBundle: bundle,
          activities: {
            ...createControlActivities(deps),
            ...createTokenActivities(deps),
            ...createStartActivities(deps),
            ...createTrainPermissionActivities(deps),
            ...createAdmissionActivities({ client: env.client, control }),
            ...failing({
              readPlan: async () => world.plan,
              readFixSettings: fix('readFixSettings'),
              readFixFacts: fix('readFixFacts'),
              callRemedy: fix('callRemedy'),
              notify: async (notice: Notice) => {
                told.push(notice);
                await world.notify(notice);
              },
            }),
          },
        }),
        Worker.create({
          ...shared,
          taskQueue: queues.data,
          activities: failing({
            ...Object.fromEntries(STAGE_NAMES.map((name) => [name, stage(name)])),
            sealEvidence: (order: SealOrder) => world.sealEvidence(order),
            prepareLoraData: lora('prepareLoraData'),
            ...Object.fromEntries(Object.keys(world.canary).map((name) => [name, canary(name)])),
            lookForBreach: fix('lookForBreach'),
            ...Object.fromEntries(AB_NAMES.map((name) => [name, ab(name)])),
          }),
        }),
        Worker.create({
          ...shared,
          taskQueue: queues.train,
          activities: failing({
            trainLora: lora('trainLora'),
            evaluateLora: lora('evaluateLora'),
            registerLora: lora('registerLora'),
          }),
        }),
      ]);
      workers = created.map((worker) => ({ worker, done: worker.run() }));
    },
    stopWorkers: async () => {
      for (const { worker } of workers) worker.shutdown();
      await Promise.all(workers.map(({ done }) => done));
      workers = [];
    },
    end: async () => {
      await world.stopWorkers();
      await replayEverything(env.client, bundle);
      await env.teardown();
      control.close();
      await rm(home, { recursive: true, force: true });
    },
  };
  await world.startWorkers();
  return world;
};

const AB_NAMES = ['lookAtArms', 'expectAb', 'alphaOf', 'keepAb'] as const;
const STAGE_NAMES = ['findBreach', 'diagnose', 'augment', 'train', 'evaluate', 'watch', 'learn'] as const;

const claimsOf = (kid: string, person: string, role: string): TokenClaims => ({
  v: 1,
  kid,
  action: 'approve',
  workflow: '',
  step: null,
  variant: null,
  evidence: null,
  person,
  role,
  reason: 'looks right',
  issuedAt: new Date().toISOString(),
  expiresAt: new Date(Date.now() + 600_000).toISOString(),
  nonce: randomUUID(),
});

/** Makes a service known with a champion and a challenger, vouched for and armed. */
export const registerService = async (control: ControlStore, service: string): Promise<void> => {
  const person = { kind: 'person', name: 'tester' };
  for (const id of [championOf(service), challengerOf(service)]) await control.addVariant(variantOf(service, id));
  const order = { service, actor: person, reason: 'for the test' };
  await control.register({ ...order, key: `${service}/register`, champion: championOf(service) });
  await control.setGold({ ...order, key: `${service}/gold`, variant: championOf(service) });
  await control.arm({ ...order, key: `${service}/arm` });
};

const variantOf = (service: string, id: string): Variant => ({
  id,
  service,
  artifact: { uri: `artifact:sha256/${id}`, sha256: id },
  origin: 'hand',
  createdAt: '2026-01-01T00:00:00.000Z',
});
