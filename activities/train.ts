/**
 * 1. A trial depends on dataset, champion, seed and the trials before it alone, so an attempt that resumes from its
 *    predecessor's heartbeat ends with the challenger that an undisturbed one ends with.
 * 2. A cursor of other inputs is not used.
 */
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import { training } from '../adapters/lexical/training-task.ts';
import { trial } from '../adapters/lexical/trial.ts';
import { saveVariant } from '../adapters/lexical/variant.ts';
import { PawlError } from '../contracts/failures.ts';
import type { StageActivities, TrainInput, Training } from '../contracts/stages.ts';
import { best, searchSpace, settingsOf, type Trial } from '../domain/settings-search.ts';
import { trainingSplit } from '../domain/training-split.ts';
import { readCandidates, readCorpusBytes, readManifest, readQueries, settingsOfVariant } from './dataset.ts';
import type { StageDeps } from './stage-deps.ts';
import { runForActivity } from './threads.ts';
import { usageOf } from './usage.ts';

/** What a heartbeat carries: the inputs by digest, and every trial so far. */
const cursor = z.object({ of: z.string(), milliseconds: z.number(), history: z.array(trial) });
type Cursor = z.infer<typeof cursor>;

export const createTrainActivities = (deps: StageDeps): Pick<StageActivities, 'train'> => ({
  // Safe to repeat: the same inputs give the same challenger, and the registry knows a variant by its digest.
  async train({ service, cycle, stage, champion, dataset, plan }: TrainInput): Promise<Training> {
    const { artifacts } = deps;
    const { trials, seconds, seed } = plan.training;
    const manifest = await readManifest(artifacts, dataset);
    const [corpus, queries, candidates, settings] = await Promise.all([
      readCorpusBytes(artifacts, manifest.corpus),
      readQueries(artifacts, manifest.train),
      readCandidates(artifacts, manifest.candidates),
      settingsOfVariant(deps, champion),
    ]);
    const { fitting } = trainingSplit(queries);
    if (fitting.length === 0) {
      throw new PawlError('NoData', `${queries.length} training queries are too few to fit settings to.`, {
        hint: 'Add judged queries to the file under data.judgements.train.',
      });
    }

    const space = searchSpace(settings, candidates);
    const of = `${dataset.sha256}:${champion}:${seed}`;
    const resumed = resume(Context.current().info.heartbeatDetails, of);
    const history = [...resumed.history];
    const started = deps.now();
    const spent = (): number => resumed.milliseconds + deps.now() - started;
    const tried = await runForActivity(
      training,
      {
        indexFolder: deps.indexFolder,
        corpus,
        queries: fitting,
        space,
        seed,
        trials,
        milliseconds: Math.max(0, 1_000 * seconds - resumed.milliseconds),
        history,
      },
      (done: Trial): Cursor => {
        history.push(done);
        return { of, milliseconds: spent(), history };
      },
    );

    const found = best(tried);
    const before = tried[0]?.score ?? 0;
    const improved = found !== tried[0];
    const challenger = improved ? await saveVariant(artifacts, service, settingsOf(found.point, space)) : null;
    if (challenger !== null) {
      await deps.control.addVariant({
        ...challenger,
        service,
        origin: cycle,
        createdAt: new Date(deps.now()).toISOString(),
      });
    }
    const evidence = await artifacts.putJson({
      stage,
      service,
      cycle,
      champion,
      challenger: challenger?.id ?? null,
      dataset,
      seed,
      fittedOn: fitting.length,
      trials: tried,
      stoppedBy: tried.length >= trials ? 'trials' : spent() >= 1_000 * seconds ? 'time' : 'nothing left to try',
    });
    return {
      usage: await usageOf(deps, service, spent()),
      challenger: challenger?.id ?? null,
      trials: tried.length,
      championScore: before,
      challengerScore: found.score,
      evidence,
      summary: improved
        ? `The best of ${tried.length} settings lifts NDCG@10 on the training queries from ${before.toFixed(3)} to ${found.score.toFixed(3)}.`
        : `None of ${tried.length} settings beat the champion's NDCG@10 of ${before.toFixed(3)} on the training queries.`,
    };
  },
});

function resume(details: unknown, of: string): Cursor {
  const left = cursor.safeParse(details);
  return left.success && left.data.of === of ? left.data : { of, milliseconds: 0, history: [] };
}
