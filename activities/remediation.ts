/** What a fix needs of the world: what it knows, what it looks at, and the owner's own hooks. */
import type { ControlStore } from '../adapters/control/port.ts';
import { readSecret, type SecretPlaces } from '../adapters/notifier/secret.ts';
import { callHook, type HookCallDeps } from '../adapters/router/hooks.ts';
import type { VitalsSource } from '../adapters/vitals/port.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type {
  FastLook,
  FixFacts,
  LookOrder,
  PastFix,
  RemediationActivities,
  WayBack,
} from '../contracts/remediation.ts';
import type { Gate, GateFinding, Vitals } from '../contracts/vitals.ts';
import { CHAMPION_KINDS, championChanges, personsDecision, waysBack } from '../domain/champions.ts';
import { judgeGate } from '../domain/gate.ts';
import { planOf } from '../domain/plan.ts';
import { remediationPlanOf } from '../domain/trial-plans.ts';
import { failing } from './failure.ts';

interface Services {
  config(service: string): Promise<ServiceConfig>;
}
export interface RemediationDeps {
  readonly control: Pick<ControlStore, 'state' | 'ledger' | 'baseline'>;
  readonly services: Services;
  readonly variables: SecretPlaces['variables'];
  readonly lookup?: HookCallDeps['lookup'];
  now(): number;
}
export interface FastLookDeps {
  readonly control: Pick<ControlStore, 'state' | 'ledger'>;
  readonly services: Services;
  readonly vitals: Pick<VitalsSource, 'read'>;
  now(): number;
}

/** Enough to know what helps, and few enough to read at once. */
const FIXES_REMEMBERED = 50;
const MOST_WAYS_BACK = 10;

export const createRemediationActivities = (
  deps: RemediationDeps,
): Omit<RemediationActivities, 'askFix' | 'lookForBreach'> =>
  failing({
    // Safe to repeat: it only reads.
    readFixSettings: async ({ service }) => {
      const config = await deps.services.config(service);
      const { mode, gates } = planOf(config);
      return { mode, gates: gates.filter(isFast), plan: remediationPlanOf(config.remediation) };
    },

    // Safe to repeat: it only reads.
    readFixFacts: ({ service }) => factsOf(deps.control, service),

    // Safe to repeat: the owner's server is told the same key each time, and can drop what it has done already.
    callRemedy: async ({ service, fix, key, remedy, findings }) => {
      const { remediation, folder } = await deps.services.config(service);
      const hook = remediation.hooks[remedy];
      if (!hook) return { ok: false, because: `remediation.hooks.${remedy} is not set any more` };
      const { url, timeout, allow, secret } = hook;
      const message = { key, what: remedy, service, fix, findings };
      return callHook({ name: remedy, runs: { url }, timeoutMs: timeout }, message, {
        allow,
        secret: () => readSecret(secret, { variables: deps.variables, folder }),
        lookup: deps.lookup,
        now: deps.now,
      });
    },
  });

export const createFastLookActivities = (deps: FastLookDeps): Pick<RemediationActivities, 'lookForBreach'> =>
  failing({
    // Safe to repeat: it only reads; a later look may find something newer.
    lookForBreach: async (order) => lookForBreach(deps, order),
  });

const isFast = ({ rule }: Gate): boolean => !('drop' in rule);

const factsOf = async (control: RemediationDeps['control'], service: string): Promise<FixFacts> => {
  const of = (kind: string) => control.ledger({ service, kind });
  const [state, ends, ...rows] = await Promise.all([
    control.state(service),
    control.ledger({ service, kind: 'fix ended', last: FIXES_REMEMBERED }),
    ...[...CHAMPION_KINDS, 'arm', 'fix admitted'].map(of),
  ]);
  const known = rows.flat().sort((a, b) => a.seq - b.seq);
  const champion = state?.champion ?? null;
  const back = waysBack(championChanges(known)).filter((variant) => variant !== champion);
  const [present, ...past] = await Promise.all(
    [...(champion === null ? [] : [champion]), ...back.slice(0, MOST_WAYS_BACK)].map((variant) =>
      measured(control, service, variant),
    ),
  );
  return {
    champion: present ?? null,
    gold: state?.gold ?? null,
    back: past,
    decided: state && personsDecision(known, state),
    past: ends.map(pastOf),
  };
};

const measured = async (control: RemediationDeps['control'], service: string, variant: string): Promise<WayBack> => {
  const baseline = await control.baseline(service, variant);
  const of = (metric: string): number | null => baseline?.readings[metric]?.value ?? null;
  return { variant, cost: of('cost'), quality: of('ndcg') ?? of('ndcg-from-clicks') };
};

const pastOf = ({ body }: LedgerRow): PastFix => ({
  symptoms: (body.symptoms ?? []) as PastFix['symptoms'],
  tried: (body.tried ?? []) as PastFix['tried'],
});

/** What was before the last fix is what that fix was about. */
const lookForBreach = async (deps: FastLookDeps, order: LookOrder): Promise<FastLook> => {
  const { service } = order;
  const to = deps.now();
  const champion = order.champion ?? (await deps.control.state(service))?.champion ?? null;
  if (champion === null) return { champion, findings: [] };
  const gates = (order.gates ?? planOf(await deps.services.config(service)).gates).filter(isFast);
  const since = Date.parse(order.since ?? (await lastFixOf(deps.control, service)) ?? new Date(0).toISOString());
  const readings = new Map<number, Promise<Vitals>>();
  const read = (windowMs: number): Promise<Vitals> => {
    const from = Math.min(to, Math.max(since, to - windowMs));
    const found = readings.get(windowMs) ?? deps.vitals.read({ service, variant: champion, from, to });
    readings.set(windowMs, found);
    return found;
  };
  const findings = await Promise.all(
    gates.map(async (gate): Promise<GateFinding> => judgeGate(gate, await read(gate.windowMs), null)),
  );
  return { champion, findings };
};

const lastFixOf = async (control: FastLookDeps['control'], service: string): Promise<string | null> => {
  const [last] = await control.ledger({ service, kind: 'fix ended', last: 1 });
  return last?.at ?? null;
};
