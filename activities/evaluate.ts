import { evaluation } from '../adapters/lexical/evaluation-task.ts';
import type { EvaluateInput, Evaluation, StageActivities } from '../contracts/stages.ts';
import { pairedDifference } from '../domain/bootstrap.ts';
import { mean } from '../domain/intervals.ts';
import { judgeOffline } from '../domain/verdict.ts';
import { readCorpusBytes, readManifest, readQueries, settingsOfVariant } from './dataset.ts';
import type { StageDeps } from './stage-deps.ts';
import { runForActivity } from './threads.ts';
import { usageOf } from './usage.ts';

export const createEvaluateActivities = (deps: StageDeps): Pick<StageActivities, 'evaluate'> => ({
  // Safe to repeat: inputs are named by digest and the bootstrap is seeded, so every attempt finds the same.
  async evaluate({ service, cycle, stage, champion, challenger, dataset, plan }: EvaluateInput): Promise<Evaluation> {
    const { artifacts } = deps;
    const { seed } = plan.training;
    const manifest = await readManifest(artifacts, dataset);
    const [corpus, queries, before, after] = await Promise.all([
      readCorpusBytes(artifacts, manifest.corpus),
      readQueries(artifacts, manifest.test),
      settingsOfVariant(deps, champion),
      settingsOfVariant(deps, challenger),
    ]);
    const started = deps.now();
    const [championScores = [], challengerScores = []] = await runForActivity(evaluation, {
      indexFolder: deps.indexFolder,
      corpus,
      queries,
      settings: [before, after],
    });
    const difference = pairedDifference(championScores, challengerScores, { seed });
    const championScore = queries.length === 0 ? 0 : mean(championScores);
    const challengerScore = queries.length === 0 ? 0 : mean(challengerScores);
    const { verdict, reasons } = judgeOffline(championScore, difference);
    const evidence = await artifacts.putJson({
      stage,
      service,
      cycle,
      champion,
      challenger,
      dataset,
      seed,
      verdict,
      reasons,
      difference,
      scores: queries.map(({ id }, at) => ({
        query: id,
        champion: championScores[at],
        challenger: challengerScores[at],
      })),
    });
    return {
      usage: await usageOf(deps, service, deps.now() - started),
      verdict,
      reasons,
      championScore,
      challengerScore,
      low: difference.low,
      high: difference.high,
      queries: queries.length,
      evidence,
      summary: `${verdict}: NDCG@10 ${championScore.toFixed(3)} → ${challengerScore.toFixed(3)} on ${queries.length} held-out queries.`,
    };
  },
});
