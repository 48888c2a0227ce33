/**
 * Team-draft interleaving (Radlinski, Kurup, Joachims, CIKM 2008): one ranking of two, in which each document belongs to the
 * team that brought it in.
 *
 * 1. The two take turns, and a coin decides who begins each round; so users who click at random prefer nobody.
 * 2. The same seed gives the same ranking: who asks again sees what they saw before.
 * 3. An answer is won by the team with more clicks on its documents; an even one, or one without a click, says nothing.
 */
import type { ReceivedAnswer } from '../contracts/feedback.ts';
import type { Reading } from '../contracts/vitals.ts';
import { shareReading } from './intervals.ts';
import { seeded } from './random.ts';

export type Team = 'a' | 'b';

export interface Interleaved {
  readonly ranked: readonly string[];
  readonly teams: Readonly<Record<Team, readonly string[]>>;
}

export const teamDraft = (
  rankings: Readonly<Record<Team, readonly string[]>>,
  { k, seed }: { readonly k: number; readonly seed: number },
): Interleaved => {
  const random = seeded(seed);
  const taken = new Set<string>();
  const teams: Record<Team, string[]> = { a: [], b: [] };
  const next = { a: rankings.a.values(), b: rankings.b.values() };
  const draft = (team: Team): boolean => {
    for (let found = next[team].next(); !found.done; found = next[team].next()) {
      if (taken.has(found.value)) continue;
      taken.add(found.value);
      teams[team].push(found.value);
      return true;
    }
    return false;
  };
  for (let left = true; left && taken.size < k; ) {
    const round: readonly Team[] = random() < 0.5 ? ['a', 'b'] : ['b', 'a'];
    left = false;
    for (const team of round) if (taken.size < k && draft(team)) left = true;
  }
  return { ranked: [...taken], teams };
};

/** The variant that won this answer; null where neither did, or no two were interleaved. */
export const winnerOf = ({ teams, clicks }: Pick<ReceivedAnswer, 'teams' | 'clicks'>): string | null => {
  const won = Object.entries(teams ?? {}).map(([variant, documents]) => ({
    variant,
    clicks: clicks.filter(({ document }) => documents.includes(document)).length,
  }));
  const most = Math.max(...won.map((one) => one.clicks));
  const best = won.filter((one) => one.clicks === most);
  return won.length === 2 && best.length === 1 ? (best[0]?.variant ?? null) : null;
};

export interface Preference {
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Share of the answers that somebody won, won by this variant; null where nobody won any. */
  readonly share: Reading | null;
}

/** How often a variant won against the other one that it was interleaved with. */
export const preferenceFor = (
  variant: string,
  answers: ReadonlyArray<Pick<ReceivedAnswer, 'teams' | 'clicks'>>,
): Preference => {
  const winners = answers.filter(({ teams }) => teams !== null && variant in teams).map(winnerOf);
  const wins = winners.filter((winner) => winner === variant).length;
  const ties = winners.filter((winner) => winner === null).length;
  const losses = winners.length - wins - ties;
  return { wins, losses, ties, share: shareReading(wins, wins + losses) };
};
