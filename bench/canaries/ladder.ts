/** What is tried: plans that ask for different things of the same traffic, and challengers that are worse by a rung of the ladder. */
import { isNoticed, LADDER, type Noticed, type Rung } from '../../domain/canary/detectable.ts';
import type { Degradation } from './degraded-engine.ts';

/** How long the challenger is looked at, while nothing is found. */
export const WINDOW_S = 25;
const LOOKS = 5;
const FLOOR = 150;
/** Long enough for it to be seen that it asks; there is nobody to answer. */
const HOLD = '3s';

export interface Asking {
  readonly plan: 'usual' | 'strict' | 'thin';
  readonly about: string;
  readonly mustNotice: Readonly<Record<string, number>>;
  readonly services: number;
  /** Of each service: how many come at once, and how often each of them asks. */
  readonly visitors: { readonly atOnce: number; readonly everyMs: number };
}
const MUST_NOTICE = { latency: 0.5, errors: 0.05, ndcg: 0.1 };
const BUSY = { atOnce: 10, everyMs: 250 };
export const PLANS: readonly Asking[] = [
  { plan: 'usual', about: 'asks for what its traffic shows', mustNotice: MUST_NOTICE, services: 5, visitors: BUSY },
  {
    ...{ plan: 'strict', about: 'asks for more than its traffic shows' },
    ...{ mustNotice: { latency: 0.2, errors: 0.01, ndcg: 0.03 }, services: 3, visitors: BUSY },
  },
  {
    ...{ plan: 'thin', about: 'has less traffic than its floor', mustNotice: MUST_NOTICE, services: 1 },
    visitors: { atOnce: 1, everyMs: 1_000 },
  },
];

const judged = (metric: string, worse: string, rest: string): string =>
  `{ metric: ${metric}, worse: ${worse}, critical: true, ${rest} }`;
const often = `every: 1s, window: 10s, samples: 30, inconclusiveLimit: 1000000`;
/** The usual analyses with short intervals: a quick eye in the background, and the judge over all that came so far. */
export const canarySettings = ({ mustNotice }: Asking): string =>
  `{
    steps: [{ weight: 50% }, { analysis: whole }],
    analyses: {
      quick: { measures: [
        { name: latency, metric: latency, failure: "result.low > 1.1 * baseline.high", ${often} },
        { name: errors, metric: errors, failure: "result.low > baseline.high + 1%", ${often} }
      ] },
      whole: { judge: {
        metrics: [${judged('latency', 'higher', 'tolerance: 10%, mustHave: true')}, ${judged('errors', 'higher', 'tolerance: 0%')}, ${judged('ndcg', 'lower', 'tolerance: 1%')}],
        every: ${WINDOW_S / LOOKS}s, count: ${LOOKS}, samples: 20
      } }
    },
    background: { analysis: quick }, floor: ${FLOOR}, hold: ${HOLD}, watch: null,
    mustNotice: {${Object.entries(mustNotice).map(([metric, size]) => ` ${metric}: ${100 * size}%`)} }
  }`.replaceAll(/\s*\n\s*/g, ' ');

/** null: as good as the champion. */
export type Kind = Rung | null;
const KINDS: readonly Kind[] = [null, ...LADDER];
const THIN: readonly Kind[] = [null, LADDER[2] ?? null, LADDER[5] ?? null];

export interface Trial {
  readonly asking: Asking;
  readonly kind: Kind;
}

/** The same mixture however many there are: all of `usual`, all of `strict`, some of `thin`, `usual` once more, and so on. */
export const deck = (n: number): readonly Trial[] => {
  const [usual, strict, thin] = PLANS as readonly [Asking, Asking, Asking];
  const of = (asking: Asking, kinds: readonly Kind[]) => kinds.map((kind): Trial => ({ asking, kind }));
  const one = [...of(usual, KINDS), ...of(strict, KINDS), ...of(thin, THIN), ...of(usual, KINDS)];
  return Array.from({ length: n }, (_, i) => one[i % one.length] as Trial);
};

/** In which it is told. */
export const placeOf = ({ asking, kind }: Trial): number => PLANS.indexOf(asking) * KINDS.length + KINDS.indexOf(kind);

export const degradationOf = (kind: Kind): Degradation => {
  const { metric, relative = 0, points = 0 } = kind ?? {};
  if (metric === 'latency') return { times: 1 + relative };
  if (metric === 'errors') return { failing: points };
  return metric === 'ndcg' ? { unfound: relative } : {};
};

export const nameOf = (kind: Kind): string => {
  if (!kind) return 'as good';
  const { metric, relative = 0, points } = kind;
  const rounded = (share: number): number => Number((100 * share).toPrecision(3));
  return points === undefined
    ? `${metric} ${metric === 'ndcg' ? '−' : '+'}${rounded(relative)} %`
    : `${metric} +${rounded(points)} points`;
};

/** What may become of one: by what its traffic shows, which is worked out before anything is tried, and by what its plan asks. */
export type Says = 'rolled back' | 'never promoted' | 'may pass unseen' | 'promoted' | 'not rolled back';

export const saysOf = ({ asking, kind }: Trial, effects: readonly Noticed[]): Says => {
  const { plan, mustNotice } = asking;
  if (plan === 'thin') return 'never promoted';
  if (kind === null)
    return effects.length > 0 && asks(mustNotice).every((one) => isNoticed(one, effects))
      ? 'promoted'
      : 'not rolled back';
  if (isNoticed(kind, effects)) return 'rolled back';
  return sizeOf(kind) >= (mustNotice[kind.metric] ?? Number.POSITIVE_INFINITY) ? 'never promoted' : 'may pass unseen';
};

const sizeOf = ({ relative, points }: Rung): number => points ?? relative ?? 0;
const asks = (mustNotice: Asking['mustNotice']): readonly Rung[] =>
  Object.entries(mustNotice).map(([metric, size]) =>
    metric === 'errors' ? { metric, points: size } : { metric, relative: size },
  );
