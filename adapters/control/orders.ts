/** What people, cycles and the guardian order, and what comes of it: a refusal is an answer too, and leaves a row. */
import type { z } from 'zod';
import type { LedgerEntry } from '../../contracts/control.ts';
import { PawlError } from '../../contracts/failures.ts';
import { FLEET, SERVICE_NAME } from '../../contracts/ids.ts';
import type {
  Actor,
  ArmOrder,
  GoldOrder,
  GrantOrder,
  KillOrder,
  Refusal,
  ServiceState,
  StateAnswer,
  TrafficChange,
} from '../../contracts/traffic.ts';
import {
  armed,
  gilded,
  granted,
  killed,
  malformed,
  registered,
  shifted,
  whyNotArm,
  whyNotGrant,
  whyNotShift,
} from '../../domain/traffic.ts';
import type { Change, Draft, Needs } from './draft.ts';
import { noteRow } from './ledger.ts';
import type { ControlStore } from './port.ts';
import { nothing, serviceState, servicesAnswer, stateAnswer } from './rows.ts';

interface Order {
  readonly key: string;
  readonly service: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly cycle?: string | null;
}
type Registration = Parameters<ControlStore['register']>[0];
type FleetOrder = Omit<KillOrder, 'service'>;
type Decision = Refusal | ServiceState;
type Services = { services: readonly string[] };

const keyed = <A>(
  kind: string,
  order: { readonly key: string },
  answer: z.ZodType<A>,
  needs: Needs,
  work: (draft: Draft) => A,
): Change<A> => ({
  needs: { ...needs, answers: [order.key] },
  decide: (draft) => draft.once(kind, order, answer, () => work(draft)),
});

/** Decides, changes and tells. `told` is what the order asked for beyond who and why. */
const settle = (
  draft: Draft,
  kind: string,
  order: Order,
  told: object,
  decide: (state: ServiceState) => Decision,
): StateAnswer => {
  const before = draft.service(order.service);
  const decision = before ? decide(before) : 'unknown service';
  const answer: StateAnswer =
    typeof decision === 'string'
      ? { outcome: 'refused', because: decision, state: before }
      : { outcome: 'done', state: decision };
  if (answer.outcome === 'done') draft.save(answer.state);
  const { key, service, actor, reason, cycle = null } = order;
  const body = { key, ...told, ...answer, before };
  draft.append({ service, cycle, kind, actor, reason, body });
  return answer;
};

export const register = (order: Registration): Change<ServiceState> => {
  const { key, service, champion, actor, reason } = order;
  if (!SERVICE_NAME.test(service)) throw new PawlError('Usage', `${JSON.stringify(service)} is no service name`);
  const needs = { services: [service], variants: [champion], fleet: true };
  return keyed('register', order, serviceState, needs, (draft) => {
    const present = draft.service(service);
    if (present) return present;
    if (!draft.knows(service, champion)) {
      throw new PawlError('NotFound', `Variant ${champion} of ${service} is not registered`, {
        hint: 'Add the variant first, then register the service with it.',
      });
    }
    const fleet = draft.fleet();
    const state = fleet.killed
      ? registered(service, champion, 'killed', fleet.because)
      : registered(service, champion, 'disarmed', 'nobody has vouched for gold yet');
    draft.save(state);
    const body = { key, champion, outcome: 'done', state, before: null };
    draft.append({ service, cycle: null, kind: 'register', actor, reason, body });
    return state;
  });
};

export const grant = (order: GrantOrder): Change<StateAnswer> =>
  keyed('grant', order, stateAnswer, { services: [order.service] }, (draft) =>
    settle(draft, 'grant', order, {}, (state) => whyNotGrant(state) ?? granted(state)),
  );

export const shift = (change: TrafficChange): Change<StateAnswer> => {
  const why = malformed(change);
  if (why) throw new PawlError('Usage', `This change of traffic makes no sense: ${why}`);
  const { service, token, arms, champion } = change;
  const needs = { services: [service], variants: arms.map(({ variant }) => variant) };
  return keyed('shift', change, stateAnswer, needs, (draft) =>
    settle(draft, 'shift', change, { token, arms, champion }, (state) => {
      return whyNotShift(state, change, (variant) => draft.knows(service, variant)) ?? shifted(state, change);
    }),
  );
};

const killOne = (draft: Draft, order: KillOrder): StateAnswer =>
  settle(draft, 'kill', order, {}, (state) => killed(state, order.reason));

export const kill = (order: KillOrder): Change<StateAnswer> =>
  keyed('kill', order, stateAnswer, { services: [order.service] }, (draft) => killOne(draft, order));

export const arm = (order: ArmOrder): Change<StateAnswer> =>
  keyed('arm', order, stateAnswer, { services: [order.service], fleet: true }, (draft) =>
    settle(draft, 'arm', order, {}, (state) => whyNotArm(state, draft.fleet().killed) ?? armed(state, order.reason)),
  );

export const setGold = (order: GoldOrder): Change<StateAnswer> => {
  const { service, variant } = order;
  return keyed('gold', order, stateAnswer, { services: [service], variants: [variant] }, (draft) =>
    settle(draft, 'gold', order, { variant }, (state) =>
      draft.knows(service, variant) ? gilded(state, variant) : 'unknown variant',
    ),
  );
};

const ofFleet = (
  kind: string,
  order: FleetOrder,
  isKilled: boolean,
  each: (draft: Draft, service: string) => void,
): Change<Services> =>
  keyed<Services>(kind, order, servicesAnswer, { services: 'all' }, (draft) => {
    const services = draft.serviceNames();
    draft.effects.fleet = { killed: isKilled, because: order.reason };
    draft.append(noteRow({ ...order, service: FLEET, cycle: null, kind, body: { services } }));
    for (const service of services) each(draft, service);
    return { services };
  });

export const killAll = (order: FleetOrder): Change<Services> =>
  ofFleet('kill all', order, true, (draft, service) => killOne(draft, { ...order, service }));

export const liftAll = (order: Omit<ArmOrder, 'service'>): Change<Services> =>
  ofFleet('lift all', order, false, () => undefined);

export const noteAll = (entries: readonly LedgerEntry[]): Change<void> => ({
  needs: { answers: entries.map(({ key }) => key) },
  decide: (draft) => {
    for (const entry of entries) {
      draft.once('note', entry, nothing, () => {
        draft.append(noteRow(entry));
        return null;
      });
    }
  },
});
