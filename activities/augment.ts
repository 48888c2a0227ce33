import { mining } from '../adapters/lexical/mining-task.ts';
import { readJudgedQueries, snapshotCorpus } from '../adapters/service/data.ts';
import { PawlError } from '../contracts/failures.ts';
import type { DatasetManifest } from '../contracts/plan.ts';
import type { Augmentation, AugmentInput, StageActivities } from '../contracts/stages.ts';
import { trainingSplit } from '../domain/training-split.ts';
import { readCorpusBytes } from './dataset.ts';
import type { StageDeps } from './stage-deps.ts';
import { runForActivity } from './threads.ts';

const MOST_CANDIDATES = 180;
const EXAMPLES = 20;

export const createAugmentActivities = (deps: StageDeps): Pick<StageActivities, 'augment'> => ({
  // Safe to repeat: everything it writes is named by its digest, and the same files give the same manifest.
  async augment({ service, cycle, stage, diagnosis }: AugmentInput): Promise<Augmentation> {
    const config = await deps.services.config(service);
    const [corpus, train, test] = await Promise.all([
      snapshotCorpus(config, deps.artifacts),
      readJudgedQueries(config, 'train'),
      readJudgedQueries(config, 'test'),
    ]);
    refuseOverlap(
      train.map(({ id }) => id),
      test.map(({ id }) => id),
    );

    const candidates = await runForActivity(mining, {
      corpus: await readCorpusBytes(deps.artifacts, corpus.ref),
      queries: trainingSplit(train).mining,
      most: MOST_CANDIDATES,
    });
    const manifest: DatasetManifest = {
      corpus: corpus.ref,
      documents: corpus.documents.length,
      train: await deps.artifacts.putJson(train),
      test: await deps.artifacts.putJson(test),
      trainQueries: train.length,
      testQueries: test.length,
      candidates: await deps.artifacts.putJson(candidates),
    };
    const dataset = await deps.artifacts.putJson(manifest);
    const examples = candidates.slice(0, EXAMPLES);
    const evidence = await deps.artifacts.putJson({ stage, service, cycle, diagnosis, dataset, manifest, examples });
    const first = examples[0];
    const like = first === undefined ? '' : `, such as “${first.word}” → “${first.synonyms.join('”, “')}”`;
    return {
      dataset,
      trainQueries: train.length,
      candidates: candidates.length,
      evidence,
      summary: `${train.length} training queries over ${manifest.documents} documents, and ${candidates.length} words with candidate synonyms${like}.`,
    };
  },
});

/** A query in both sets would let training see what evaluation must not have shown it. */
function refuseOverlap(train: readonly string[], test: readonly string[]): void {
  const seen = new Set(train);
  const both = test.find((id) => seen.has(id));
  if (both === undefined) return;
  throw new PawlError('ConfigInvalid', `Query "${both}" is judged for training and for testing.`, {
    hint: 'Take it out of one of the two files under data.judgements.',
  });
}
