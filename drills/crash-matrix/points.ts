/**
 * The fault points: every effect and every read of the embedded adapters, and every activity, that a cycle, its guardian or
 * a person's order goes through. Faults happen before and after each of them.
 */

/** What must happen in a trial for its point to be reached. */
export type Scene =
  /** A breach, a better challenger, a promotion. */
  | 'promotion'
  /** The same, and a person is asked. */
  | 'approval'
  /** The challenger is worse in live traffic. */
  | 'rollback'
  /** A promise about a stage cannot be kept. */
  | 'broken promise'
  /** A person stops the guardian for a while. */
  | 'pause'
  /** A person kills the service while the cycle is watching, and arms it again. */
  | 'kill'
  /** A person vouches for what was promoted. */
  | 'gold'
  /** The challenger goes through a canary with all its kinds of steps. */
  | 'canary'
  /** A person is asked on the way. */
  | 'canary approval'
  /** The challenger is worse, and the canary puts traffic back. */
  | 'canary rollback'
  /** An A/B evaluation finds it better, and a canary promotes it. */
  | 'ab'
  /** An A/B evaluation finds harm. */
  | 'ab harm'
  /** What was promoted turns bad, and the watch after it has it taken back. */
  | 'watch'
  /** What was promoted turns bad, nobody watches it, and a fix is asked for that tries one remedy after the other. */
  | 'breach';

export interface Point {
  readonly name: string;
  readonly scene: Scene;
  /** How often an undisturbed trial comes past; a seed picks one of these times. */
  readonly often: number;
  /** Its activity may take so long that nobody would wait for a worker that died in it. */
  readonly slow: boolean;
  /** Several calls are on their way at once: which of them are struck in a row, nobody can say beforehand. */
  readonly together: boolean;
}

/** They read whole weeks of logs. */
const SLOW = /alphaOf|expectAb|lookAtArms/;
/** They read challenger and baseline side by side. */
const TOGETHER = /vitals: read in (judge|measure)Canary/;

const of = (scene: Scene, ...named: ReadonlyArray<string | readonly [name: string, often: number]>): Point[] =>
  named
    .map((one) => (typeof one === 'string' ? { name: one, often: 1 } : { name: one[0], often: one[1] }))
    .map((point) => ({ ...point, scene, slow: SLOW.test(point.name), together: TOGETHER.test(point.name) }));

export const POINTS: readonly Point[] = [
  ...of(
    'promotion',
    ['store: state', 2],
    'store: grant',
    'store: shift deploy',
    'store: shift promote',
    'store: note cycle admitted',
    'store: note cycle ended',
    'store: note learned',
    'store: addVariant',
    'store: setBaseline',
    'store: baseline in findBreach',
    'store: baseline in diagnose',
    ['store: variant', 2],
    'artifacts: put in findBreach',
    ['artifacts: put in diagnose', 2],
    ['artifacts: put in augment', 5],
    ['artifacts: put in train', 2],
    'artifacts: put in evaluate',
    'artifacts: put in watch',
    'artifacts: put in learn',
    ['artifacts: get in diagnose', 2],
    'artifacts: get in augment',
    ['artifacts: get in train', 5],
    ['artifacts: get in evaluate', 4],
    'artifacts: get in learn',
    'log: append',
    'log: read in findBreach',
    'log: read in diagnose',
    ['log: read in watch', 2],
    'vitals: read in findBreach',
    ['vitals: read in watch', 2],
    'config: read in readPlan',
    'config: read in diagnose',
    'config: read in augment',
    'store: rule in mayStart',
    ['store: rule in shiftTraffic', 2],
    'policy: asked in mayStart',
    ['policy: asked in shiftTraffic', 2],
    'activity: mayStart',
    'activity: sealEvidence',
    'activity: readState',
    'activity: readPlan',
    'activity: admit',
    'activity: askLane',
    ['activity: findEnded', 1],
    'activity: grantLane',
    ['activity: shiftTraffic', 2],
    ['activity: note', 2],
    'activity: findBreach',
    'activity: diagnose',
    'activity: augment',
    'activity: train',
    'activity: evaluate',
    'activity: watch',
    'activity: learn',
  ),
  ...of('rollback', 'store: shift restore'),
  ...of('approval', 'store: rule in verifyToken', 'policy: asked in verifyToken', 'activity: verifyToken', [
    'activity: notify',
    2,
  ]),
  ...of('broken promise', 'store: note promise broken'),
  ...of('pause', 'store: note paused', 'store: note resumed'),
  ...of('kill', 'store: kill', 'store: arm', 'activity: kill', 'activity: arm'),
  ...of('gold', 'store: setGold', 'activity: setGold'),
  ...of(
    'canary',
    'store: shift canary 1',
    'store: shift canary 2',
    'store: shift canary 3',
    'store: shift canary: promotion',
    'store: note canary ended',
    ['activity: shiftTraffic of canary', 5],
    ['activity: readRoute', 5],
    ['activity: measureCanary', 3],
    'activity: judgeCanary',
    'activity: countCanary',
    'activity: detectable',
    'activity: pastChampions',
    'activity: twinOf',
    'activity: keepCanary',
    ['activity: gatekeeper', 6],
    ['vitals: read in judgeCanary', 2],
    ['vitals: read in measureCanary', 4],
    'log: count in countCanary',
    'artifacts: get in twinOf',
    'artifacts: put in twinOf',
    'artifacts: put in judgeCanary',
    'artifacts: put in keepCanary',
  ),
  ...of('canary approval', 'activity: verifyToken of canary'),
  ...of('canary rollback', 'store: shift canary: back to the champion'),
  ...of(
    'ab',
    'store: note ab started',
    'store: shift ab 1',
    'store: shift ab 2',
    'store: note ab ended',
    ['activity: shiftTraffic of ab', 2],
    'activity: alphaOf',
    'activity: expectAb',
    ['activity: lookAtArms', 2],
    'activity: keepAb',
    'artifacts: put in keepAb',
  ),
  ...of('ab harm', 'store: shift ab: back to the champion'),
  ...of(
    'watch',
    'activity: measureCanary of watch',
    ['activity: readState of watch', 2],
    'activity: askFix',
    'activity: findEnded of watch',
    'store: note watch ended',
    'activity: readFixSettings',
    'store: note fix admitted',
    'activity: readFixFacts',
    'store: shift previous',
    'activity: shiftTraffic of fix',
    'store: note fix ended',
  ),
  ...of('breach', ['activity: lookForBreach', 2], ['vitals: read in lookForBreach', 2], 'activity: callRemedy'),
];
