import type { LedgerEntry } from '../../contracts/control.ts';
import type {
  ArmOrder,
  GoldOrder,
  GrantOrder,
  KillOrder,
  LedgerRow,
  ServiceState,
  StateAnswer,
  TrafficChange,
} from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';

/**
 * The one truth about what serves, who may change it, and what was done.
 *
 * 1. Every change is one transaction: check key, latch and token; change; ledger row. All or nothing.
 * 2. A repeated key with the same content gets the first answer and changes nothing; with another content it is an error
 *    of type Usage.
 * 3. The ledger is append-only, and rows carry the order in which the changes took effect.
 * 4. A refusal is an answer, and leaves a ledger row too.
 * 5. An acknowledged change survives the death of the process and of the machine (synchronous=FULL).
 */
export interface ControlStore {
  /** Makes a service known, disarmed, with `champion` serving everything. Repeating it changes nothing. */
  register(order: {
    key: string;
    service: string;
    champion: string;
    actor: LedgerEntry['actor'];
    reason: string;
  }): Promise<ServiceState>;
  state(service: string): Promise<ServiceState | null>;
  services(): Promise<readonly string[]>;

  /** Raises the promotion number by one and answers with it; only changes that carry this number pass from now on. */
  grant(order: GrantOrder): Promise<StateAnswer>;
  shift(change: TrafficChange): Promise<StateAnswer>;
  /** Raises the epoch, latches, and sends all traffic to gold (or leaves it where no gold exists). Never refused for a known service. */
  kill(order: KillOrder): Promise<StateAnswer>;
  /** Refused without gold, and while the fleet is killed. Traffic stays where it is. */
  arm(order: ArmOrder): Promise<StateAnswer>;
  setGold(order: GoldOrder): Promise<StateAnswer>;
  /** Latches the whole fleet: every service known now is killed, and none can be armed until liftAll. */
  killAll(order: Omit<KillOrder, 'service'>): Promise<{ services: readonly string[] }>;
  /** Lifts the fleet's latch; each service stays killed until it is armed. */
  liftAll(order: Omit<ArmOrder, 'service'>): Promise<{ services: readonly string[] }>;
  fleetKilled(): Promise<boolean>;

  addVariant(variant: Variant): Promise<void>;
  variant(id: string): Promise<Variant | null>;
  variants(service: string): Promise<readonly Variant[]>;
  /** What the service read like when this variant became champion; gates compare with it. */
  setBaseline(entry: { key: string; variant: string; vitals: Vitals }): Promise<void>;
  baseline(service: string, variant: string): Promise<Vitals | null>;

  note(entry: LedgerEntry): Promise<void>;
  ledger(filter: {
    service?: string;
    cycle?: string;
    afterSeq?: number;
    limit?: number;
  }): Promise<readonly LedgerRow[]>;
  /** True for the first use of a nonce and for its repetition under the same key; false for any other use. */
  spendNonce(use: { nonce: string; key: string; expiresAt: string }): Promise<boolean>;
  close(): void;
}
