/** When a child that died is started again. */
export interface RestartRule {
  /** Pause before the first restart; it doubles with each quick death. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** Who lived this long did not die quickly: the count starts anew. */
  readonly steadyMs: number;
  /** So many quick deaths in a row, and it is not started again. */
  readonly quickDeaths: number;
}

export const DEFAULT_RULE: RestartRule = { firstMs: 500, mostMs: 30_000, steadyMs: 30_000, quickDeaths: 6 };

/** `lives`: how long each life lasted so far, the last one last. null: give up. */
export function pauseBeforeNext(lives: readonly number[], rule: RestartRule): number | null {
  const quick = lives.length - 1 - lives.findLastIndex((ms) => ms >= rule.steadyMs);
  if (quick >= rule.quickDeaths) return null;
  return Math.min(rule.firstMs * 2 ** Math.max(0, quick - 1), rule.mostMs);
}
