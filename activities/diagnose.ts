import { unknownWords } from '../adapters/lexical/vocabulary-task.ts';
import { readJudgedQueries, snapshotCorpus } from '../adapters/service/data.ts';
import { judgementsByQuery, MOST_SERVED } from '../adapters/vitals/log.ts';
import type { DiagnoseInput, Diagnosis, StageActivities } from '../contracts/stages.ts';
import { type DiagnosisFindings, findLosses } from '../domain/diagnosis.ts';
import { ndcg } from '../domain/rank-metrics.ts';
import { normalised } from '../domain/tokens.ts';
import { readCorpusBytes, settingsOfVariant } from './dataset.ts';
import type { StageDeps } from './stage-deps.ts';
import { runForActivity } from './threads.ts';

const DAY_MS = 86_400_000;

export const createDiagnoseActivities = (deps: StageDeps): Pick<StageActivities, 'diagnose'> => ({
  // Safe to repeat: it reads, and leaves evidence under its own digest.
  async diagnose({ service, champion, cycle, stage, plan, findings }: DiagnoseInput): Promise<Diagnosis> {
    const config = await deps.services.config(service);
    const [judged, corpus, settings, baseline] = await Promise.all([
      readJudgedQueries(config, 'live'),
      snapshotCorpus(config, deps.artifacts),
      settingsOfVariant(deps, champion),
      deps.control.baseline(service, champion),
    ]);
    const to = deps.now();
    const from = to - Math.max(...plan.gates.map(({ windowMs }) => windowMs), plan.gates.length === 0 ? DAY_MS : 0);
    const judgements = judgementsByQuery(judged);
    const rows = await deps.queryLog.read({ service, variant: champion, from, to, limit: MOST_SERVED });
    const served = rows.flatMap((row) => {
      const known = row.error === null ? judgements.get(normalised(row.query)) : undefined;
      return known === undefined ? [] : [{ text: row.query, ndcg: ndcg(row.ranked, known) }];
    });

    const unknown = await runForActivity(unknownWords, {
      indexFolder: deps.indexFolder,
      corpus: await readCorpusBytes(deps.artifacts, corpus.ref),
      settings,
      texts: served.map(({ text }) => text),
    });
    const losses = findLosses(
      served.map((query, at) => ({ ...query, unknown: unknown[at] ?? [] })),
      baseline?.readings.ndcg?.value ?? null,
    );
    const evidence = await deps.artifacts.putJson({
      stage,
      service,
      cycle,
      champion,
      corpus: corpus.ref,
      window: { from: new Date(from).toISOString(), to: new Date(to).toISOString() },
      breaches: findings.filter(({ state }) => state === 'breach'),
      ...losses,
    });
    return { lost: losses.lost, queries: losses.queries, evidence, summary: told(losses) };
  },
});

function told({ queries, lost, terms, unknown }: DiagnosisFindings): string {
  if (queries === 0) return 'None of the served queries is judged, so no single loss can be named.';
  const carry = terms.slice(0, 3).map(({ term }) => `“${term}”`);
  const strange = unknown.slice(0, 3).map(({ term }) => `“${term}”`);
  const parts = [`${lost} of ${queries} judged queries score below the baseline`];
  if (carry.length > 0) parts.push(`most of the loss comes with ${carry.join(', ')}`);
  if (strange.length > 0) parts.push(`the index does not know ${strange.join(', ')}`);
  return `${parts.join('; ')}.`;
}
