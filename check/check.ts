/**
 * An independent look at what a home's files say happened. It reads the ledger, the traffic table, the registry, the log
 * of served requests, people.json and the artifacts, and knows nothing of the code that wrote them: it counts epochs and
 * grants, and checks hashes and signatures, for itself.
 */
import {
  approvesWhatWasLeft,
  automationIsAllowed,
  hasItsApprovals,
  nobodyApprovesTheirOwn,
  startsAreAllowed,
} from './approvals.ts';
import {
  keepsItsEvidence,
  keepsWhatItSealed,
  keepsWhatServes,
  restsOnItsEvidence,
  sealsAreSigned,
} from './artifacts.ts';
import { hasItsOwnHash, hasTheRootOfItsRows, headIsSigned, namesTheRowBefore } from './chain.ts';
import {
  endsLegally,
  endsOnce,
  leavesNoTrial,
  movesNothingAfterItsEnd,
  promotesAsItSays,
  promotesOnce,
  registersOneVariant,
  runningIn,
  takesEachStepOnce,
} from './cycles.ts';
import {
  allowsWhatWasSigned,
  countsOnce,
  followsADecision,
  isInARoleOfTheirs,
  isInTime,
  isNotRevoked,
  isSigned,
} from './decisions.ts';
import type { Evidence } from './evidence.ts';
import {
  fixEndsLegally,
  fixEndsOnce,
  fixesRunningIn,
  fixGoesBack,
  fixMovesAsItSays,
  fixMovesNothingAfterItsEnd,
} from './fixes.ts';
import { readEvidence } from './home.ts';
import { keepsModels, servesWhatWasTrained } from './models.ts';
import { type Asked, byCycle, type Finding, isApplicable, type Rule } from './reading.ts';
import { mirroredByShare, mixedFromInterleaved, servedByShare } from './served.ts';
import {
  countsKillsAndGrants,
  hasNoGap,
  killedServesGold,
  movesNothingUnderTheLatch,
  movesOnlyByGrant,
  servesWhatTheLedgerSays,
  sharesAddUp,
  usesEachKeyOnce,
} from './traffic.ts';
import {
  abEndsOnce,
  abOnlyGivesMore,
  canaryEndsOnce,
  canaryPromotesForItsCycle,
  trialLeavesWhatItSays,
  trialMovesNothingAfterItsEnd,
  watchEndsOnce,
  watchGoesBackByAFix,
} from './trials.ts';

export const RULES = {
  'the ledger has no gap': hasNoGap,
  'a row is what its hash was taken of': hasItsOwnHash,
  'a row follows the row before it': namesTheRowBefore,
  'the head is the root over all rows': hasTheRootOfItsRows,
  'the head is signed by the key of the ledger': headIsSigned,
  'no key is done twice': usesEachKeyOnce,
  'every admitted cycle ends exactly once': endsOnce,
  'a cycle ends in one of the known outcomes': endsLegally,
  'a cycle promotes at most once': promotesOnce,
  'a cycle promotes exactly when it says so': promotesAsItSays,
  'a cycle takes each step at most once': takesEachStepOnce,
  'a cycle registers at most one variant': registersOneVariant,
  'a cycle that has ended moves nothing': movesNothingAfterItsEnd,
  'a cycle that does not promote leaves nothing on trial': leavesNoTrial,
  'an A/B evaluation that was started ends exactly once': abEndsOnce,
  'a canary that has moved traffic ends exactly once': canaryEndsOnce,
  'a trial that has ended moves nothing': trialMovesNothingAfterItsEnd,
  'a trial leaves the traffic that its end tells of': trialLeavesWhatItSays,
  'an A/B evaluation gives its challenger more from step to step': abOnlyGivesMore,
  'a canary promotes exactly when its cycle does': canaryPromotesForItsCycle,
  'a watch comes after a promotion and ends at most once': watchEndsOnce,
  'a watch that has gone back names the fix that did it': watchGoesBackByAFix,
  'every admitted fix ends exactly once': fixEndsOnce,
  'a fix ends in one of the known outcomes': fixEndsLegally,
  'a fix goes back to gold or to a champion of before': fixGoesBack,
  'a fix takes each remedy at most once, and says so': fixMovesAsItSays,
  'a fix that has ended moves nothing': fixMovesNothingAfterItsEnd,
  'epoch and promotion number count kills and grants': countsKillsAndGrants,
  'traffic moves only by the grant given last': movesOnlyByGrant,
  'after a kill nothing moves until it is armed': movesNothingUnderTheLatch,
  'a killed service serves gold': killedServesGold,
  'the shares of a service add up to 1': sharesAddUp,
  'what serves is what the ledger says': servesWhatTheLedgerSays,
  'a request is answered by a variant that had a share': servedByShare,
  'a request is mirrored to a variant that had a share of the mirror': mirroredByShare,
  'an answer is mixed from variants that were interleaved': mixedFromInterleaved,
  'a decision carries a token that its person signed': isSigned,
  'a token allows what was signed, and nothing else': allowsWhatWasSigned,
  'a token counts while it is valid': isInTime,
  'a token counts once': countsOnce,
  'nobody decides after they were revoked': isNotRevoked,
  'everybody decides in a role of theirs': isInARoleOfTheirs,
  'nobody approves what they asked for': nobodyApprovesTheirOwn,
  'people approve the evidence that the cycle leaves': approvesWhatWasLeft,
  'a promotion has the approvals that its plan asks for': hasItsApprovals,
  'gold, arming and resuming follow a decision': followsADecision,
  'a cycle starts where the policy allows it': startsAreAllowed,
  'automation moves traffic where the policy allows it': automationIsAllowed,
  'the evidence of a cycle is there, as it was': keepsItsEvidence,
  'a promotion rests on evidence that says so': restsOnItsEvidence,
  'what was sealed is there, as it was': keepsWhatItSealed,
  'what was sealed is signed by the key of the ledger': sealsAreSigned,
  'what serves is there, as it was built': keepsWhatServes,
  'a registered model is there, as it was made': keepsModels,
  'an adapter serves what was trained': servesWhatWasTrained,
} as const satisfies Record<string, Rule>;
export type RuleName = keyof typeof RULES;

export interface Violation extends Finding {
  readonly rule: RuleName;
}
export interface Report {
  readonly rules: number;
  readonly rows: number;
  readonly served: number;
  readonly cycles: number;
  /** Cycles and fixes that have not ended yet, by service and id; how they end is not judged. */
  readonly running: readonly string[];
  readonly violations: readonly Violation[];
  /** Rules that found nothing to be held against; they are not among those that hold. */
  readonly notApplicable: ReadonlyArray<{ readonly rule: RuleName; readonly because: string }>;
}

export const reportOn = (evidence: Evidence, asked: Asked): Report => {
  const verdicts = (Object.entries(RULES) as Array<[RuleName, Rule]>).map(
    ([rule, find]) => [rule, find(evidence, asked)] as const,
  );
  return {
    rules: verdicts.length,
    rows: evidence.ledger.length,
    served: evidence.served.length,
    cycles: byCycle(evidence).length,
    running: [...runningIn(evidence), ...fixesRunningIn(evidence)],
    violations: verdicts.flatMap(([rule, verdict]) =>
      isApplicable(verdict) ? verdict.map((finding) => ({ rule, ...finding })) : [],
    ),
    notApplicable: verdicts.flatMap(([rule, verdict]) =>
      isApplicable(verdict) ? [] : [{ rule, because: verdict.notApplicable }],
    ),
  };
};

/** Of a home in which nothing runs: every cycle must have ended. */
export const violationsIn = (evidence: Evidence): readonly Violation[] =>
  reportOn(evidence, { atRest: true }).violations;
export const violationsOf = (home: string): readonly Violation[] => violationsIn(readEvidence(home));

export const checkHome = (home: string, asked: Asked): Report => reportOn(readEvidence(home), asked);
