import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { FeedbackStore } from '../adapters/feedback/port.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import { judgementsByQuery } from '../adapters/vitals/log.ts';
import type { AbActivities } from '../contracts/ab.ts';
import { DEFAULT_TENANT } from '../contracts/access.ts';
import type { Metric } from '../contracts/vitals.ts';
import { clickedScores } from '../domain/ab/clicked-score.ts';
import { expectation } from '../domain/ab/expectation.ts';
import { type Known, MOST_ANSWERS, subjectSums } from '../domain/ab/subject-values.ts';
import { countClicks } from '../domain/click-counts.ts';
import { fitClickModel } from '../domain/click-model.ts';
import type { JudgedQuery } from '../domain/rank-metrics.ts';
import { alphaOf as alphaOfNth } from '../domain/statistics/alpha-spending.ts';
import { type ExperimentLog, lookAt } from './ab-look.ts';
import { failing } from './failure.ts';

export interface AbDeps {
  readonly queryLog: ExperimentLog & Pick<QueryLog, 'subjects'>;
  readonly feedback: Pick<FeedbackStore, 'received'>;
  readonly control: Pick<ControlStore, 'ledger'>;
  readonly artifacts: Pick<ArtifactStore, 'putJson'>;
  /** The judged queries that live traffic is held against. */
  judged(service: string): Promise<readonly JudgedQuery[]>;
  now(): number;
  /** Told of progress, so that a worker that is gone is missed soon: harm must not wait for it. */
  onProgress?(): void;
}

const WEEK = 7 * 86_400_000;
/** So many of the service's subjects tell how its metrics vary. */
const SAMPLE = 1_000;
/** Answers that the click model of an evaluation is learned from, the newest before it. */
const MOST_RECEIVED = 20_000;

export const createAbActivities = (deps: AbDeps): AbActivities => {
  const { queryLog, feedback, control, artifacts, judged, now, onProgress = () => undefined } = deps;

  const knownAt = async (service: string, metrics: readonly Metric[], to: number): Promise<Known> => {
    const judgements = judgementsByQuery(await judged(service));
    if (!metrics.includes('ndcg-from-clicks')) return { judgements, clickedScore: () => null };
    const window = { service, from: to - WEEK, to, tenant: DEFAULT_TENANT, limit: MOST_RECEIVED };
    const received = (await feedback.received(window)).filter(({ shown }) => shown !== null);
    return { judgements, clickedScore: clickedScores(fitClickModel(countClicks(received))) };
  };

  return failing({
    // Safe to repeat: it reads what no longer changes, and remembers nothing but what it answers.
    lookAtArms: async (look) =>
      lookAt(queryLog, look, await knownAt(look.service, look.metrics, look.since), onProgress),

    // Safe to repeat: it reads; later it knows of more subjects.
    async expectAb({ service, metric, gain, alpha }) {
      const to = now();
      const window = { service, from: to - WEEK, to };
      const known = await knownAt(service, [metric], to);
      const { count, some } = await queryLog.subjects({ ...window, most: SAMPLE });
      const seen = [];
      let first = to;
      for (const subject of some) {
        const answers = await queryLog.ofSubject({ ...window, subject, limit: MOST_ANSWERS });
        first = Math.min(first, answers[0]?.at ?? to);
        seen.push(subjectSums(metric, answers, known));
        onProgress();
      }
      return expectation({ metric, gain, alpha, subjects: count, forMs: to - first, seen });
    },

    // Safe to repeat: rows of this cycle itself are not counted.
    async alphaOf({ service, cycle, alpha }) {
      const nth = 1 + (await endedSinceGold(control, service, cycle));
      return { alpha: alphaOfNth(nth, alpha), nth };
    },

    // Safe to repeat: what is written is named by its digest.
    keepAb: (report) => artifacts.putJson({ stage: 'ab', ...report }),
  } satisfies AbActivities);
};

/** Evaluations that could have promoted something wrongly, since a person last said what is good. */
const endedSinceGold = async (control: AbDeps['control'], service: string, cycle: string): Promise<number> => {
  const golden = await control.ledger({ service, kind: 'gold' });
  const since = golden.findLast(({ actor, body }) => actor.kind === 'person' && body.outcome === 'done')?.seq ?? 0;
  const ended = await control.ledger({ service, kind: 'ab ended', afterSeq: since });
  return ended.filter((row) => row.cycle !== cycle && row.body.looked !== 0).length;
};
