/** What a fix looks at and has done, as a test brings it: by default every look finds that the breach is over. */
import { createRemediationActivities } from '../../activities/remediation.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import type { FixAnswer, FixEnd, FixRequest, FixSettings, RemediationActivities } from '../../contracts/remediation.ts';
import { type FixStatus, fixStatusQuery, fixUpdate } from '../../contracts/remediation-messages.ts';
import type { Gate, GateFinding } from '../../contracts/vitals.ts';
import { evidenceOf } from './stages.ts';
import type { World } from './world.ts';

export type FixActivities = Omit<RemediationActivities, 'askFix'>;

export const ERRORS: Gate = {
  ...{ name: 'errors', metric: 'errors', rule: { above: 0.05 }, samples: 10, windowMs: 60_000, withinMs: 60_000 },
};
export const found = (state: GateFinding['state'], over: Partial<GateFinding> = {}): GateFinding => ({
  ...{ gate: 'errors', metric: 'errors', state, value: 0.3, limit: 0.05, baseline: null, n: 100, withinMs: 60_000 },
  because: `errors: ${state}`,
  ...over,
});

export const fixSettings = (
  over: Partial<FixSettings['plan']> = {},
  mode: FixSettings['mode'] = 'act',
): FixSettings => ({
  mode,
  gates: [ERRORS],
  plan: { remedies: { errors: ['previous', 'gold'] }, settleMs: 100, lookMs: 100, hooks: {}, perHour: 100, ...over },
});

/** What is known of the service is read from its real ledger. */
export const fixesTo = (control: ControlStore, script: Partial<FixActivities> = {}): FixActivities => {
  const config = async () => {
    throw new Error('this world has no pawl.yaml');
  };
  const { readFixFacts } = createRemediationActivities({ control, services: { config }, variables: {}, now: Date.now });
  return {
    readFixFacts,
    readFixSettings: async () => fixSettings(),
    callRemedy: async () => ({ ok: true, because: 'done' }),
    ...script,
    lookForBreach: async (order) => {
      const champion = order.champion ?? (await control.state(order.service))?.champion;
      const look = script.lookForBreach ?? brokenOn();
      return look({ ...order, ...(champion && { champion }) });
    },
  };
};

/** Breached for as long as one of these serves. */
export const brokenOn =
  (...variants: readonly string[]): FixActivities['lookForBreach'] =>
  async ({ champion = null }) => ({
    champion,
    findings: [found(champion !== null && variants.includes(champion) ? 'breach' : 'pass')],
  });

let keys = 0;

export const fixRequest = (over: Partial<FixRequest> = {}): FixRequest => ({
  key: `fix-${++keys}`,
  requestedBy: { kind: 'schedule', name: 'fast-gates' },
  reason: 'errors are above 5 %',
  findings: [found('breach')],
  ...over,
});

export const askForFix = (world: Pick<World, 'client'>, service: string, request: FixRequest): Promise<FixAnswer> =>
  world.client.workflow.executeUpdateWithStart(fixUpdate, {
    args: [request],
    startWorkflowOperation: guardianStart(service),
  });

export type FixHandle = ReturnType<typeof fixHandle>;
export const fixHandle = (world: Pick<World, 'client'>, workflowId: string) =>
  world.client.workflow.getHandle<() => Promise<FixEnd>>(workflowId);

export const startFix = async (
  world: Pick<World, 'client'>,
  service: string,
  request: Partial<FixRequest> = {},
): Promise<{ readonly fix: string; readonly handle: FixHandle }> => {
  const answer = await askForFix(world, service, fixRequest(request));
  if (!answer.admitted) throw new Error(`not admitted: ${answer.because}`);
  return { fix: answer.fix, handle: fixHandle(world, answer.workflowId) };
};

export const fixStatus = (handle: FixHandle): Promise<FixStatus> => handle.query(fixStatusQuery);

/** A variant of the service that can serve. */
export const addVariant = async (control: ControlStore, service: string, name: string): Promise<string> => {
  const { uri, sha256 } = evidenceOf(`${service}/${name}`);
  const createdAt = '2026-01-01T00:00:00.000Z';
  await control.addVariant({ id: sha256, service, artifact: { uri, sha256 }, origin: 'hand', createdAt });
  return sha256;
};

let promotions = 0;

/** Makes it champion as a cycle does, without the cycle. */
export const promoteTo = async (control: ControlStore, service: string, variant: string): Promise<void> => {
  const cycle = `si_2026_11_20_${String(++promotions).padStart(3, '0')}`;
  const of = { service, cycle, actor: { kind: 'cycle', name: cycle } };
  const { state } = await control.grant({ ...of, key: `${service}/${cycle}/grant`, reason: 'the lane' });
  const { epoch = 0, promotion = 0 } = state ?? {};
  const change = { token: { epoch, promotion }, arms: [{ variant, share: 1 }], champion: variant, reason: 'promote' };
  await control.shift({ ...of, key: `${service}/${cycle}/promote`, ...change });
};
