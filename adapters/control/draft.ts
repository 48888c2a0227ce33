/**
 * A change between its reading and its writing: the rules stand here once, and each store brings its own statements.
 *
 * 1. What a change looks at was read in its transaction. To ask for anything else is a defect, never 'there is none'.
 * 2. What it decides is collected, and written by the store in that same transaction; after an error nothing is.
 * 3. It sees what it has decided itself.
 */
import type { z } from 'zod';
import type { RegisteredModel } from '../../contracts/model.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import type { Variant } from '../../contracts/variant.ts';
import type { Vitals } from '../../contracts/vitals.ts';
import { digestOf, firstAnswer, type GivenAnswer } from './answers.ts';
import type { NewRow } from './chain.ts';

export interface Fleet {
  readonly killed: boolean;
  readonly because: string;
}

/** What must be read before a change can be decided. */
export interface Needs {
  readonly answers?: readonly string[];
  readonly services?: readonly string[] | 'all';
  readonly variants?: readonly string[];
  readonly models?: readonly string[];
  readonly fleet?: boolean;
  readonly nonce?: string;
}

/** What was read: of each name that was asked for, what there is, or null. */
export interface Facts {
  readonly answers: ReadonlyMap<string, GivenAnswer | null>;
  readonly services: ReadonlyMap<string, ServiceState | null>;
  readonly variants: ReadonlyMap<string, Variant | null>;
  readonly models: ReadonlyMap<string, RegisteredModel | null>;
  readonly fleet: Fleet | null;
  /** Whose key has spent the nonce. */
  readonly spender: string | null;
}

/** What must be written. */
export interface Effects {
  readonly answers: Map<string, GivenAnswer>;
  readonly services: Map<string, ServiceState>;
  readonly variants: Variant[];
  readonly models: RegisteredModel[];
  readonly baselines: Array<{ readonly variant: string; readonly vitals: Vitals }>;
  /** In the order in which the ledger tells them. */
  readonly rows: NewRow[];
  fleet: Fleet | null;
  spent: { readonly nonce: string; readonly key: string; readonly expiresAt: string } | null;
}

export interface Change<A> {
  readonly needs: Needs;
  decide(draft: Draft): A;
}

export class Draft {
  readonly #facts: Facts;
  /** When it is decided. */
  readonly at: string;
  readonly effects: Effects = {
    ...{ answers: new Map(), services: new Map(), variants: [], models: [], baselines: [], rows: [] },
    ...{ fleet: null, spent: null },
  };

  constructor(facts: Facts, now: number) {
    this.#facts = facts;
    this.at = new Date(now).toISOString();
  }

  /** Does the work once for a key, and gives every repetition the first answer. */
  once<A>(kind: string, order: { readonly key: string }, answer: z.ZodType<A>, work: () => A): A {
    const { key } = order;
    const asked = digestOf(kind, order);
    const first = this.effects.answers.get(key) ?? read(this.#facts.answers, key);
    if (first) return firstAnswer(key, asked, first, answer);
    const given = work();
    this.effects.answers.set(key, { asked, answer: JSON.stringify(given), at: this.at });
    return given;
  }

  service(name: string): ServiceState | null {
    return this.effects.services.get(name) ?? read(this.#facts.services, name);
  }

  /** All of them, where all were read. */
  serviceNames(): string[] {
    return [...this.#facts.services.keys()];
  }

  save(state: ServiceState): void {
    this.effects.services.set(state.service, state);
  }

  variant(id: string): Variant | null {
    return read(this.#facts.variants, id);
  }

  knows(service: string, variant: string): boolean {
    return this.variant(variant)?.service === service;
  }

  model(id: string): RegisteredModel | null {
    return read(this.#facts.models, id);
  }

  fleet(): Fleet {
    const fleet = this.effects.fleet ?? this.#facts.fleet;
    if (fleet === null) throw new Error("The fleet's latch was not read for this change");
    return fleet;
  }

  spender(): string | null {
    return this.#facts.spender;
  }

  append(row: NewRow): void {
    this.effects.rows.push(row);
  }
}

const read = <T>(facts: ReadonlyMap<string, T | null>, name: string): T | null => {
  const found = facts.get(name);
  if (found === undefined) throw new Error(`${JSON.stringify(name)} was not read for this change`);
  return found;
};
