import type { LedgerEntry } from '../../contracts/control.ts';
import { PawlError } from '../../contracts/failures.ts';
import { FLEET, SERVICE_NAME } from '../../contracts/ids.ts';
import type { LedgerHead } from '../../contracts/ledger.ts';
import type { Actor, KillOrder, Refusal, ServiceState, StateAnswer } from '../../contracts/traffic.ts';
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
import { ledgerKeyFor } from '../keys/ledger-key.ts';
import { type Database, openDatabase } from '../sqlite/database.ts';
import { createAnswers } from './answers.ts';
import { createLedger, noteRow } from './ledger.ts';
import { createModels } from './models.ts';
import type { ControlStore } from './port.ts';
import { createRegistry } from './registry.ts';
import { nothing, serviceState, servicesAnswer, stateAnswer } from './rows.ts';
import { createRulings } from './rulings.ts';
import { CONTROL_MIGRATIONS } from './schema.ts';
import { createServices } from './services.ts';

interface Order {
  readonly key: string;
  readonly service: string;
  readonly actor: Actor;
  readonly reason: string;
  readonly cycle?: string | null;
}
type Decision = Refusal | ServiceState;

export const sqliteControl = (path: string, now: () => number = Date.now): ControlStore => {
  const file = openDatabase({ path, migrations: CONTROL_MIGRATIONS, synchronous: 'FULL', keepOlder: true });
  const ledger = createLedger(file, ledgerKeyFor(path), now);
  const database: Database = { ...file, transaction: (work) => file.transaction(() => ledger.sealed(work)) };
  const { once, onceWithin } = createAnswers(database, now);
  const registry = createRegistry(database, once, ledger);
  const models = createModels(database, ledger);
  const services = createServices(database);
  const rulings = createRulings(database, onceWithin, ledger, now);

  /** Decides, changes and tells, inside the transaction. `told` is what the order asked for beyond who and why. */
  const settle = (kind: string, order: Order, told: object, decide: (state: ServiceState) => Decision): StateAnswer => {
    const before = services.find(order.service);
    const decision = before ? decide(before) : 'unknown service';
    const answer: StateAnswer =
      typeof decision === 'string'
        ? { outcome: 'refused', because: decision, state: before }
        : { outcome: 'done', state: decision };
    if (answer.outcome === 'done') services.save(answer.state);
    const { key, service, actor, reason, cycle = null } = order;
    const body = { key, ...told, ...answer, before };
    ledger.append({ service, cycle, kind, actor, reason, body });
    return answer;
  };

  const killOne = (order: KillOrder): StateAnswer => settle('kill', order, {}, (state) => killed(state, order.reason));

  const noteAll = (entries: readonly LedgerEntry[]): LedgerHead => {
    database.transaction(() => {
      for (const entry of entries) {
        onceWithin('note', entry, nothing, () => {
          ledger.append(noteRow(entry));
          return null;
        });
      }
    });
    return ledger.head();
  };

  return {
    register: async (order) => {
      const { key, service, champion, actor, reason } = order;
      if (!SERVICE_NAME.test(service)) throw new PawlError('Usage', `${JSON.stringify(service)} is no service name`);
      return once('register', order, serviceState, () => {
        const present = services.find(service);
        if (present) return present;
        if (!registry.knows(service, champion)) {
          throw new PawlError('NotFound', `Variant ${champion} of ${service} is not registered`, {
            hint: 'Add the variant first, then register the service with it.',
          });
        }
        const fleet = services.fleet();
        const state = fleet.killed
          ? registered(service, champion, 'killed', fleet.because)
          : registered(service, champion, 'disarmed', 'nobody has vouched for gold yet');
        services.save(state);
        const body = { key, champion, outcome: 'done', state, before: null };
        ledger.append({ service, cycle: null, kind: 'register', actor, reason, body });
        return state;
      });
    },

    state: async (service) => services.find(service),
    services: async () => services.names(),
    fleetKilled: async () => services.fleet().killed,

    grant: async (order) =>
      once('grant', order, stateAnswer, () =>
        settle('grant', order, {}, (state) => whyNotGrant(state) ?? granted(state)),
      ),
    shift: async (change) => {
      const why = malformed(change);
      if (why) throw new PawlError('Usage', `This change of traffic makes no sense: ${why}`);
      const { token, arms, champion } = change;
      const known = (variant: string): boolean => registry.knows(change.service, variant);
      return once('shift', change, stateAnswer, () =>
        settle('shift', change, { token, arms, champion }, (state) => {
          return whyNotShift(state, change, known) ?? shifted(state, change);
        }),
      );
    },
    kill: async (order) => once('kill', order, stateAnswer, () => killOne(order)),
    arm: async (order) =>
      once('arm', order, stateAnswer, () =>
        settle('arm', order, {}, (state) => whyNotArm(state, services.fleet().killed) ?? armed(state, order.reason)),
      ),
    setGold: async (order) =>
      once('gold', order, stateAnswer, () =>
        settle('gold', order, { variant: order.variant }, (state) =>
          registry.knows(order.service, order.variant) ? gilded(state, order.variant) : 'unknown variant',
        ),
      ),

    killAll: async (order) =>
      once('kill all', order, servicesAnswer, () => {
        const names = services.names();
        services.setFleet(true, order.reason);
        ledger.append(noteRow({ ...order, service: FLEET, cycle: null, kind: 'kill all', body: { services: names } }));
        for (const service of names) killOne({ ...order, service });
        return { services: [...names] };
      }),
    liftAll: async (order) =>
      once('lift all', order, servicesAnswer, () => {
        const names = services.names();
        services.setFleet(false, order.reason);
        ledger.append(noteRow({ ...order, service: FLEET, cycle: null, kind: 'lift all', body: { services: names } }));
        return { services: [...names] };
      }),

    addVariant: async (variant) => registry.addVariant(variant),
    variant: async (id) => registry.variant(id),
    variants: async (service) => registry.variants(service),
    setBaseline: async (entry) => registry.setBaseline(entry),
    baseline: async (service, variant) => registry.baseline(service, variant),

    addModel: async (order) => models.addModel(order),
    model: async (id) => models.model(id),
    models: async (filter) => models.models(filter),

    note: async (entry) => noteAll([entry]),
    noteAll: async (entries) => noteAll(entries),
    ledger: async (filter) => ledger.read(filter),
    head: async () => ledger.head(),
    hashes: async () => ledger.hashes(),
    ledgerKey: async () => ledger.vkey(),
    storedRows: async (page) => ledger.stored(page),
    ruling: async (use) => rulings.find(use),
    rule: async (use, ruled, spending) => rulings.rule(use, ruled, spending),
    close: () => database.close(),
  };
};
