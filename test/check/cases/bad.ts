import type { RuleName } from '../../../check/check.ts';
import type { Evidence } from '../../../check/evidence.ts';
import type { HandMadeLedger } from '../hand-made-ledger.ts';

/** A rule, what breaks it, and a home in which that was done. */
export type Bad = readonly [rule: RuleName, what: string, home: () => HandMadeLedger | Evidence];

export const evidenceOf = (home: HandMadeLedger | Evidence): Evidence => ('evidence' in home ? home.evidence() : home);
