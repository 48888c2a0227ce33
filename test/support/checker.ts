/**
 * An independent look at what a home's files say happened. It reads the ledger, the traffic table, the registry and the
 * log of served requests, and knows nothing of the code that wrote them: it counts epochs and grants for itself.
 */
import {
  endsLegally,
  endsOnce,
  movesNothingAfterItsEnd,
  promotesAsItSays,
  promotesOnce,
  registersOneVariant,
  takesEachStepOnce,
} from './checker/cycles.ts';
import { type Evidence, readEvidence } from './checker/evidence.ts';
import type { Finding, Rule } from './checker/reading.ts';
import { servedByShare } from './checker/served.ts';
import {
  countsKillsAndGrants,
  hasNoGap,
  killedServesGold,
  movesNothingUnderTheLatch,
  movesOnlyByGrant,
  servesWhatTheLedgerSays,
  usesEachKeyOnce,
} from './checker/traffic.ts';

export const RULES = {
  'the ledger has no gap': hasNoGap,
  'no key is done twice': usesEachKeyOnce,
  'every admitted cycle ends exactly once': endsOnce,
  'a cycle ends in one of the known outcomes': endsLegally,
  'a cycle promotes at most once': promotesOnce,
  'a cycle promotes exactly when it says so': promotesAsItSays,
  'a cycle takes each step at most once': takesEachStepOnce,
  'a cycle registers at most one variant': registersOneVariant,
  'a cycle that has ended moves nothing': movesNothingAfterItsEnd,
  'epoch and promotion number count kills and grants': countsKillsAndGrants,
  'traffic moves only by the grant given last': movesOnlyByGrant,
  'after a kill nothing moves until it is armed': movesNothingUnderTheLatch,
  'a killed service serves gold': killedServesGold,
  'what serves is what the ledger says': servesWhatTheLedgerSays,
  'a request is answered by a variant that had a share': servedByShare,
} as const satisfies Record<string, Rule>;
export type RuleName = keyof typeof RULES;

export interface Violation extends Finding {
  readonly rule: RuleName;
}

export const violationsIn = (evidence: Evidence): Violation[] =>
  (Object.entries(RULES) as Array<[RuleName, Rule]>).flatMap(([rule, find]) =>
    find(evidence).map((finding) => ({ rule, ...finding })),
  );

/** Every cycle of the home must have ended. */
export const violationsOf = (home: string): Violation[] => violationsIn(readEvidence(home));
