/** Every workflow and every path through it that has a recorded history; test/histories must hold exactly these. */
export const PATHS = {
  improvementCycle: [
    'promoted',
    'kept',
    'rejected-by-evaluation',
    'nothing-to-try',
    'observe',
    'advise',
    'approved-by-token',
    'rejected-by-person',
    'approval-expired',
    'approved-by-two',
    'reminded-and-escalated',
    'expired-with-notices',
    'notice-failed',
    'aborted',
    'killed',
    'cancelled',
    'rolled-back-degraded',
    'rolled-back-no-data',
    'failed-stage',
    'retried-stage',
    'stage-as-child',
    'promise-broken',
    'paused-and-resumed',
    'watch-skipped',
    'lane-waited-for',
    'champion-changed',
    'promotion-refused',
    'sealed',
    'unsealed',
  ],
  guardian: [
    'admission-and-report',
    'refusals',
    'paused-and-resumed',
    'killed-and-rearmed',
    'gold',
    'continued-as-new',
    'lane-queue',
    'terminated-cycle',
    'malformed-messages',
    'starts-decided',
  ],
  killSwitch: ['killed-and-rearmed'],
  trigger: ['admitted', 'refused'],
} as const;

export type WorkflowType = keyof typeof PATHS;
export type PathOf<W extends WorkflowType> = (typeof PATHS)[W][number];

export const pathNames: readonly string[] = Object.entries(PATHS).flatMap(([workflow, paths]) =>
  paths.map((path) => `${workflow}-${path}`),
);
