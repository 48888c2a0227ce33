/** May this change of traffic be made? Decided by what it does, not by what it calls itself. */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { People } from '../adapters/keys/people.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { cycleWorkflowId } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type { ApprovalPlan } from '../contracts/plan.ts';
import type { ServiceState, StateAnswer, TrafficChange } from '../contracts/traffic.ts';
import { reachOf, whyNotShift } from '../domain/traffic.ts';
import { isTwin } from './canary-twin.ts';
import { isForGood, type RulingDeps, rulingOnUse, type TokenDeps } from './rulings.ts';
import { isWayBack } from './way-back.ts';

export interface TrafficDeps extends TokenDeps {
  readonly control: ControlStore;
  /** Where it can be seen that a variant is a copy of the champion; absent: none is taken for one. */
  readonly artifacts?: Pick<ArtifactStore, 'getJson'>;
  readonly services: {
    config(service: string): Promise<Pick<ServiceConfig, 'environment' | 'mode' | 'approval'>>;
    all: RulingDeps['services']['all'];
  };
}

/** null: nothing stands against it, or the store will say what does. */
export const whyForbidden = async (deps: TrafficDeps, change: TrafficChange): Promise<StateAnswer | null> => {
  const state = await deps.control.state(change.service);
  if (state === null || whyNotShift(state, change, () => true) !== null) return null;
  const loosened = await loosenedBy(deps, state, change);
  if (loosened === null || (await isWayBack(deps.control, state, change))) return null;

  const { action, variants } = loosened;
  const { key, service, cycle, actor } = change;
  const principal = { kind: 'automation', name: actor.name } as const;
  const use = {
    key: `${key}/decision`,
    action,
    service,
    cycle,
    variant: variants.join(' '),
    principal,
    reason: change.reason,
  };
  // Read once: it asks Git too, and the time for a change of traffic is short.
  const config = deps.services.config(service);
  const once = { ...deps, services: { ...deps.services, config: () => config } };
  const { allowed, because } = await rulingOnUse(once, use, await factsOf(once, change, variants));
  return allowed ? null : { outcome: 'refused', because: 'policy', why: because, state };
};

/**
 * A change promotes when it makes another variant champion, and deploys when it gives a variant more than it has, by its
 * share or by interleaving it. Whatever gives to champion and gold alone is a way back, and a way back asks nobody.
 */
export const loosening = (state: ServiceState, { arms, champion }: TrafficChange) => {
  if (champion !== undefined && champion !== state.champion)
    return { action: 'promote', variants: [champion] } as const;
  const variants = arms
    .map(({ variant }) => variant)
    .filter((variant) => reachOf(variant, arms) > reachOf(variant, state.arms))
    .filter((variant) => variant !== state.champion && variant !== state.gold);
  return variants.length > 0 ? ({ action: 'deploy', variants } as const) : null;
};

/** A copy of the champion is the champion: what it is given takes nothing away from anybody. */
const loosenedBy = async ({ control, artifacts }: TrafficDeps, state: ServiceState, change: TrafficChange) => {
  const loosened = loosening(state, change);
  const { champion, service } = state;
  if (loosened?.action !== 'deploy' || champion === null || artifacts === undefined) return loosened;
  const asked = loosened.variants.map((variant) => isTwin({ control, artifacts }, service, variant, champion));
  const twins = await Promise.all(asked);
  const variants = loosened.variants.filter((_, n) => !twins[n]);
  return variants.length > 0 ? { ...loosened, variants } : null;
};

/** What cannot be read is not known, and so is left out: the policy says no to it. */
const factsOf = async (deps: TrafficDeps, { service, cycle }: TrafficChange, variants: readonly string[]) => {
  const config = await deps.services.config(service).catch((error: unknown) => {
    if (isForGood(error)) return null;
    throw error;
  });
  if (config === null || cycle === null) return { cycle, mode: config?.mode };
  const rows = await deps.control.ledger({ service, cycle });
  const asked = rows.find(({ kind }) => kind === 'cycle admitted')?.body;
  const people = await deps.people();
  const given = (variant: string) => approvalsOf(rows, people, cycleWorkflowId(service, cycle), variant);
  const approvals = Math.min(...variants.map(given));
  return { cycle, mode: config.mode, approvals, quorum: asked && quorumOf(asked.approval, config) };
};

/** Different people whose token for this very cycle and variant was accepted, and who have not been revoked since. */
const approvalsOf = (rows: readonly LedgerRow[], people: People, workflow: string, variant: string): number => {
  const trusted = new Set(people.filter(({ revoked }) => !revoked).map(({ kid }) => kid));
  const given = rows.filter(
    ({ kind, body }) =>
      kind === 'decision' &&
      body.action === 'approve' &&
      body.allowed === true &&
      body.workflow === workflow &&
      body.variant === variant &&
      trusted.has(String(body.kid)),
  );
  return new Set(given.map(({ body }) => body.person)).size;
};

/** Rows from before the plan's approval stood in them: what the configuration asks for now is what counts. */
const quorumOf = (approval: unknown, config: Pick<ServiceConfig, 'approval'>): number => {
  if (approval === undefined) return config.approval.required ? config.approval.quorum : 0;
  return approval === null ? 0 : ((approval as ApprovalPlan).quorum ?? 1);
};
