import { readCorpus, readJudgedQueries } from '../adapters/service/data.ts';
import {
  linesText,
  parseCorpusTexts,
  parseExamples,
  parseHeldOut,
  parseTrajectories,
} from '../adapters/training/lines.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';
import { PawlError } from '../contracts/failures.ts';
import type {
  LoraActivities,
  LoraData,
  LoraInput,
  LoraLoss,
  PreparedData,
  TrainingExample,
  Trajectory,
} from '../contracts/lora.ts';
import { normalised } from '../domain/tokens.ts';
import { type CorpusText, type Measured, splitExamples } from '../domain/training-data.ts';
import { examplesOfJudgements, examplesOfTrajectories, type TextOf } from '../domain/training-examples.ts';
import { failing } from './failure.ts';
import type { StageDeps } from './stage-deps.ts';

export type LoraDataDeps = Pick<StageDeps, 'artifacts' | 'queryLog' | 'services' | 'now'>;

/** So many days of the query log are looked at for what was shown. */
const SHOWN_DAYS = 30;
const DAY_MS = 86_400_000;

export const createLoraDataActivities = (deps: LoraDataDeps): Pick<LoraActivities, 'prepareLoraData'> =>
  failing({
    // Safe to repeat: artifacts are named by their digest. What it leaves is the same as long as what it reads is.
    prepareLoraData: async (input: LoraInput): Promise<PreparedData> => {
      const { artifacts } = deps;
      const { data, plan } = input;
      const needsService = data.judgements === true || data.feedback !== undefined;
      const documents = needsService ? await corpusOf(deps, input.service) : [];
      const examples = await examplesFrom(deps, input, documents);
      const given = await heldOutOf(deps, input, documents);
      const split = splitExamples(examples, plan.seed, given, given !== null || data.examples === undefined);
      if (split.train.length === 0) throw noData(data, examples.length, split.dropped);
      if (RANKING.has(plan.loss) && !split.train.some(ranks)) throw nothingToRank(plan.loss);
      const put = (values: readonly unknown[]): Promise<ArtifactRef> => artifacts.put(linesText(values));
      const measured = async ({ queries, corpus }: Measured) => ({
        queries: await put(queries),
        corpus: await put(corpus),
      });
      return {
        train: await put(split.train),
        validation: await measured(split.validation),
        heldOut: await measured(split.heldOut),
        examples: split.train.length,
        validationQueries: split.validation.queries.length,
        heldOutQueries: split.heldOut.queries.length,
        dropped: split.dropped,
      };
    },
  });

const examplesFrom = async (
  deps: LoraDataDeps,
  { service, data }: LoraInput,
  documents: readonly CorpusText[],
): Promise<TrainingExample[]> => {
  const texts = new Map(documents.map(({ id, text }) => [id, text]));
  const textOf: TextOf = (id) => texts.get(id);
  const given = data.examples ? parseExamples(await source(deps, 'the examples', data.examples)) : [];
  const judged = data.judgements
    ? examplesOfJudgements(await readJudgedQueries(await deps.services.config(service), 'train'), textOf)
    : [];
  const taken = data.feedback
    ? examplesOfTrajectories(
        await withShown(deps, service, parseTrajectories(await source(deps, 'the feedback', data.feedback))),
        textOf,
      )
    : [];
  return [...given, ...judged, ...taken];
};

const heldOutOf = async (
  deps: LoraDataDeps,
  { service, data }: LoraInput,
  documents: readonly CorpusText[],
): Promise<Measured | null> => {
  const { heldOut } = data;
  if (heldOut) {
    return {
      queries: parseHeldOut(await source(deps, 'the held-out queries', heldOut.queries)),
      corpus: parseCorpusTexts(await source(deps, 'the held-out corpus', heldOut.corpus)),
    };
  }
  if (!data.judgements) return null;
  const test = await readJudgedQueries(await deps.services.config(service), 'test');
  return { queries: test.map(({ text, judgements }) => ({ query: text, relevant: judgements })), corpus: documents };
};

/** What was shown for a query that does not say so: the newest ranking that the query log holds of it. */
const withShown = async (
  { queryLog, now }: LoraDataDeps,
  service: string,
  trajectories: readonly Trajectory[],
): Promise<readonly Trajectory[]> => {
  if (trajectories.every(({ shown }) => shown !== undefined)) return trajectories;
  const served = await queryLog.read({ service, from: now() - SHOWN_DAYS * DAY_MS, to: now() });
  const newest = new Map(served.map(({ query, ranked }) => [normalised(query), ranked]));
  return trajectories.map((one) => ({ ...one, shown: one.shown ?? newest.get(normalised(one.query)) ?? [] }));
};

const corpusOf = async ({ services }: LoraDataDeps, service: string): Promise<CorpusText[]> => {
  const { documents } = await readCorpus(await services.config(service));
  return documents.map(({ id, title, text }) => ({ id, text: title === '' ? text : `${title}\n${text}` }));
};

/** Losses that learn which of two documents stands above the other. */
const RANKING: ReadonlySet<LoraLoss> = new Set(['ranknet', 'lambdarank']);

const ranks = ({ negatives = [], grades = [] }: TrainingExample): boolean =>
  negatives.some((_, at) => (grades[at + 1] ?? 0) < (grades[0] ?? 1));

const nothingToRank = (loss: LoraLoss): PawlError =>
  new PawlError(
    'NoData',
    `No example has a document that is less relevant than its positive, and ${loss} learns from such pairs alone.`,
    {
      hint: 'Bring examples with "negatives", feedback that says what was "shown" above what was chosen, or judgements with several grades of one query.',
    },
  );

const source = async ({ artifacts }: LoraDataDeps, name: string, ref: ArtifactRef) => ({
  name,
  text: (await artifacts.get(ref)).toString('utf8'),
});

const noData = (data: LoraData, found: number, dropped: Readonly<Record<string, number>>): PawlError => {
  const reasons = Object.entries(dropped).map(([reason, count]) => `${count} were ${reason}`);
  const why = [`${found} examples were found`, ...reasons].join('; ');
  return new PawlError('NoData', `No example is left to train on: ${why}.`, { hint: hintFor(data) });
};

const hintFor = ({ examples, feedback }: LoraData): string => {
  if (examples) return 'Bring more lines of {"query": …, "positive": …}, about other questions than the held-out ones.';
  if (feedback)
    return 'Bring more lines of {"query": …, "chosen": [ids]}, with ids that the corpus of the service holds.';
  return 'Add judged queries to the file under data.judgements.train.';
};
