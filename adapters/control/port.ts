import type { LedgerEntry } from '../../contracts/control.ts';
import type { LedgerHead, LedgerRow } from '../../contracts/ledger.ts';
import type { ModelKind, RegisteredModel } from '../../contracts/model.ts';
import type { PolicyDecision } from '../../contracts/policy.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import type {
  Actor,
  ArmOrder,
  GoldOrder,
  GrantOrder,
  KillOrder,
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
 * 5. An acknowledged change survives the death of the process and of the machine.
 * 6. Changes take turns: each sees all that were acknowledged before it began.
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

  /** Makes a model known by its card, with a row 'model registered'. Repeating it changes nothing. */
  addModel(order: ModelOrder): Promise<void>;
  model(id: string): Promise<RegisteredModel | null>;
  models(filter: ModelFilter): Promise<readonly RegisteredModel[]>;

  /** Answers with the head after the row, or a later one. */
  note(entry: LedgerEntry): Promise<LedgerHead>;
  /** All of them in one transaction, in this order; each has its own key. */
  noteAll(entries: readonly LedgerEntry[]): Promise<LedgerHead>;
  ledger(filter: LedgerFilter): Promise<readonly LedgerRow[]>;
  head(): Promise<LedgerHead>;
  /** The hashes of all rows, in their order: the leaves of the head's tree, and of every later head's. */
  hashes(): Promise<readonly string[]>;
  /** The note verifier key of the heads; null while no head has been signed yet. */
  ledgerKey(): Promise<string | null>;
  /** For an audit: rows as they stand there, damaged ones too, and the head after them with its peaks. */
  storedRows(page: { afterSeq: number; limit: number }): Promise<StoredPage>;
  /** How this use was ruled; null while it was not. */
  ruling(use: RuledUse): Promise<Ruling | null>;
  /**
   * Keeps the answer to a use and writes its row; with a nonce, spends it, or gives the other answer where another use has
   * spent it. A repeated use gets its first answer.
   */
  rule(use: RuledUse, ruled: Ruled, spending?: Spending): Promise<Ruling>;
  close(): void;
}

export interface ModelOrder {
  readonly model: RegisteredModel;
  readonly actor: Actor;
  readonly reason: string;
}
export interface ModelFilter {
  readonly service?: string;
  readonly kind?: ModelKind;
}

/** A use of a right: its key, and whatever else it is; the same key with another content is an error. */
export type RuledUse = { readonly key: string } & Readonly<Record<string, unknown>>;

export interface Ruling {
  readonly allowed: boolean;
  readonly because: string;
  /** Of the token that proved who asks; null where there was none, or none that holds. */
  readonly claims: TokenClaims | null;
  /** null where the policy was not asked: the answer was no before. */
  readonly decision: PolicyDecision | null;
}

export interface Ruled {
  readonly ruling: Ruling;
  /** The row that tells of it; its key is that of the use. */
  readonly row: Omit<LedgerEntry, 'key'>;
  /** What may repeat itself without end, such as a captured token, is told once under this name. */
  readonly rowOnce?: string;
}

export interface Spending {
  readonly nonce: string;
  readonly expiresAt: string;
  readonly otherwise: Ruled;
}

export interface LedgerFilter {
  readonly service?: string;
  readonly cycle?: string;
  readonly kind?: string;
  /** By the row's time, both included. */
  readonly since?: string;
  readonly until?: string;
  readonly afterSeq?: number;
  /** So many at most, from the oldest on. */
  readonly limit?: number;
  /** So many at most, the newest of them; still in their order. */
  readonly last?: number;
}

export interface StoredPage {
  readonly rows: readonly StoredRow[];
  readonly head: LedgerHead;
  readonly peaks: readonly string[];
}
export interface StoredRow {
  readonly seq: number;
  /** null where it cannot be read as a row. */
  readonly row: LedgerRow | null;
  /** The text that its hash should be over. */
  readonly leaf: string | null;
  /** What is wrong with how it stands there. */
  readonly problem: string | null;
}
