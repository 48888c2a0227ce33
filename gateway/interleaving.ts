/**
 * One list out of two variants, so that a click says which of them its reader prefers.
 *
 * 1. Which document comes from whom is decided by the answer's id, so it can be decided again from the log.
 * 2. Where one of the two fails or takes too long, the list of the other one is the answer, and nobody's preference.
 * 3. A hit stays as its variant found it. Scores of two variants cannot be compared: the order is all that counts.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { teamDraft } from '../domain/interleaving.ts';
import { hash32 } from '../domain/random.ts';
import type { Attempt } from './attempt.ts';
import type { Found, Hit } from './search-engine.ts';

export interface CachedFound extends Found {
  readonly cached: boolean;
}
type Part = Attempt<CachedFound>;
type Brought = Part & { readonly found: CachedFound };

export interface Outcome {
  /** The variant that stands for the answer. */
  readonly variant: string;
  /** null: it failed. */
  readonly found: CachedFound | null;
  readonly error: unknown;
  /** Of the two that were asked together: what each that did not fail brought in. */
  readonly teams?: Readonly<Record<string, readonly string[]>>;
}

/** The first one would have answered alone. */
export const together = async (
  ask: readonly [() => Promise<Part>, () => Promise<Part>],
  how: { readonly k: number; readonly answer: string },
): Promise<{ readonly outcome: Outcome; readonly parts: readonly Part[] }> => {
  // Each in a turn of its own: what searches in this thread would else be charged with the work of the other one.
  const parts = await Promise.all([ask[0](), nextTurn().then(ask[1])]);
  return { outcome: outcomeOf(parts, how), parts };
};

const outcomeOf = ([first, second]: readonly [Part, Part], how: Parameters<typeof together>[1]): Outcome => {
  if (succeeded(first) && succeeded(second)) return drafted(first, second, how);
  const left = [first, second].find(succeeded);
  if (!left) return { variant: first.variant, found: null, error: first.error, teams: {} };
  return { variant: left.variant, found: left.found, error: null, teams: { [left.variant]: idsOf(left) } };
};

const drafted = (first: Brought, second: Brought, { k, answer }: Parameters<typeof together>[1]): Outcome => {
  // By name, so that it does not matter who would have answered alone.
  const [a, b] = first.variant < second.variant ? [first, second] : [second, first];
  const { ranked, teams } = teamDraft({ a: idsOf(a), b: idsOf(b) }, { k, seed: hash32(answer) });
  const hitsOf = ({ found }: Brought, ids: readonly string[]) => found.hits.filter(({ id }) => ids.includes(id));
  const hits = new Map([...hitsOf(a, teams.a), ...hitsOf(b, teams.b)].map((hit) => [hit.id, hit]));
  const found = {
    hits: ranked.map((id) => hits.get(id)).filter((hit): hit is Hit => hit !== undefined),
    cpuMs: a.found.cpuMs + b.found.cpuMs,
    cached: a.found.cached && b.found.cached,
  };
  return { variant: first.variant, found, error: null, teams: { [a.variant]: teams.a, [b.variant]: teams.b } };
};

const succeeded = (part: Part): part is Brought => part.found !== null;
const idsOf = ({ found }: Brought): readonly string[] => found.hits.map(({ id }) => id);
