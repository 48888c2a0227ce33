/** What a scenario has shown: when it went wrong, when that was noticed, when everybody had the champion again. */
import type { Violation } from '../../check/check.ts';
import type { Scenario } from './scenes.ts';
import type { Visit } from './visitors.ts';

const FEWEST_VISITS = 200;

export interface Seen {
  readonly scenario: Scenario;
  readonly home: string;
  /** When it was made to go wrong. */
  readonly faultAt: number;
  /** When the store and its helpers were let work again; null where they always could. */
  readonly freeAt: number | null;
  /** When the canary, or the fix, said that it is broken. */
  readonly verdictAt: number | null;
  readonly champion: string;
  readonly challenger: string;
  readonly outcome: string | null;
  readonly because: string;
  /** Who has all of the traffic in the end. */
  readonly serves: string | null;
  readonly visits: readonly Visit[];
  readonly violations: readonly Violation[];
}

export interface ScenarioReport {
  readonly verdict: 'passed' | 'failed' | 'void';
  readonly because: readonly string[];
  readonly scenario: string;
  readonly about: string;
  readonly home: string;
  readonly outcome: string | null;
  readonly reason: string;
  /** Milliseconds since the fault; null: never, or nothing was to be noticed. */
  readonly noticedMs: number | null;
  readonly championMs: number | null;
  /** From the verdict until the last visitor who was answered by the challenger, or not at all. */
  readonly verdictToChampionMs: number | null;
  readonly visits: {
    readonly all: number;
    readonly sinceFault: number;
    readonly failed: number;
    readonly byChallenger: number;
  };
  readonly slowestMs: number;
  readonly violations: readonly Violation[];
}

export const reportOf = (seen: Seen): ScenarioReport => {
  const { scenario, home, faultAt, verdictAt, freeAt, outcome, because, visits, violations, challenger } = seen;
  const after = visits.filter(({ askedAt }) => askedAt >= faultAt);
  // Who failed does not say whose fault it was: until the last of these it is not over.
  const isOver = ({ variant, status }: Visit): boolean => variant !== challenger && status === 200;
  const lastByChallenger = Math.max(...after.filter((visit) => !isOver(visit)).map(({ askedAt }) => askedAt));
  const wentBack =
    scenario.ends.serves === 'champion' && seen.serves === seen.champion && Number.isFinite(lastByChallenger);
  const from = Math.max(verdictAt ?? Number.POSITIVE_INFINITY, freeAt ?? 0);
  const figures = {
    noticedMs: verdictAt === null ? null : verdictAt - faultAt,
    championMs: wentBack ? lastByChallenger - faultAt : null,
    verdictToChampionMs: wentBack && Number.isFinite(from) ? Math.max(0, lastByChallenger - from) : null,
  };
  const counted = {
    ...{ scenario: scenario.name, about: scenario.about, home, outcome, reason: because, violations, ...figures },
    visits: {
      all: visits.length,
      sinceFault: after.length,
      failed: after.filter(({ status }) => status !== 200).length,
      byChallenger: after.filter(({ variant }) => variant === challenger).length,
    },
    slowestMs: Math.max(0, ...after.map(({ askedAt, answeredAt }) => answeredAt - askedAt)),
  };
  const found = findings(seen, figures);
  const low = visits.length < FEWEST_VISITS ? [`only ${visits.length} visits: there was no traffic to speak of`] : [];
  const verdict = found.length > 0 ? 'failed' : low.length > 0 ? 'void' : 'passed';
  return { verdict, because: found.length > 0 ? found : low, ...counted };
};

type Figures = Pick<ScenarioReport, 'noticedMs' | 'championMs' | 'verdictToChampionMs'>;

const findings = (
  { scenario, outcome, serves, champion, challenger, violations, freeAt, faultAt }: Seen,
  { championMs, verdictToChampionMs }: Figures,
): string[] => {
  const wanted = scenario.ends.serves === 'champion' ? champion : challenger;
  const { promised } = scenario;
  const { faultMs, verdictMs } = promised ?? { faultMs: Number.POSITIVE_INFINITY, verdictMs: Number.POSITIVE_INFINITY };
  // What was held up by the trial itself is not counted against it.
  const heldMs = freeAt === null ? 0 : freeAt - faultAt;
  return [
    [outcome !== scenario.ends.outcome, `it ended as ${outcome ?? 'nothing'}, not as ${scenario.ends.outcome}`],
    [serves !== wanted, `in the end the ${scenario.ends.serves} does not serve everybody`],
    [violations.length > 0, `the checker finds ${violations.length} violations`],
    [promised !== null && championMs === null, 'traffic did not come back'],
    [(championMs ?? 0) - heldMs > faultMs, `${championMs} ms from the fault to the champion; ${faultMs} are promised`],
    [
      (verdictToChampionMs ?? 0) > verdictMs,
      `${verdictToChampionMs} ms from the verdict to the champion; ${verdictMs} are promised`,
    ],
  ].flatMap(([is, what]) => (is ? [String(what)] : []));
};
