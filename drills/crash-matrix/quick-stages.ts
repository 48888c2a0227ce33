/** The stages before live traffic, done at once: what is tried comes after them. They leave the evidence that they would. */
import type { ArtifactStore } from '../../adapters/artifacts/port.ts';
import type { ControlStore } from '../../adapters/control/port.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { StageActivities, StageInput } from '../../contracts/stages.ts';

const SCORES = { championScore: 0.5, challengerScore: 0.9 };

export const quickStages = (control: ControlStore, artifacts: ArtifactStore): StageActivities => {
  const left = async <R extends object>(input: StageInput, result: R) => {
    const { service, cycle, stage } = input;
    const evidence = await artifacts.putJson({ stage, service, cycle, ...result });
    return { summary: `${stage} for a trial`, evidence, ...result };
  };
  return {
    findBreach: (input) =>
      left(input, {
        findings: [
          {
            ...{ gate: 'ndcg', metric: 'ndcg', state: 'breach', value: 0.5, limit: 0.9, baseline: 0.95, n: 12 },
            ...{ because: 'it fell', withinMs: 3_600_000 },
          },
        ],
      }),
    diagnose: (input) => left(input, { lost: 6, queries: 12 }),
    augment: async (input) => {
      const dataset = await artifacts.putJson({ dataset: input.cycle });
      return left(input, { dataset, trainQueries: 12, candidates: 1 });
    },
    train: async (input) => {
      const { service, cycle } = input;
      const settings = { ...DEFAULT_SETTINGS, weights: { title: 2, body: 1 } };
      const variant = await saveVariant(artifacts, service, settings);
      await control.addVariant({ ...variant, service, origin: cycle, createdAt: new Date().toISOString() });
      return left(input, { challenger: variant.id, trials: 1, ...SCORES });
    },
    evaluate: (input) =>
      left(input, { verdict: 'better', reasons: ['better by 0.4'], ...SCORES, low: 0.3, high: 0.5, queries: 12 }),
    watch: (input) => left(input, { state: 'healthy', reasons: ['as good'] }),
    learn: (input) => left(input, {}),
  };
};

/** The quick ones for those services; for the others as they are. */
export const quickFor = <T extends object>(
  stages: T,
  quick: StageActivities,
  isQuick: (service: string) => boolean,
): T =>
  Object.fromEntries(
    Object.entries(stages).map(([name, stage]) => {
      const other = (quick as unknown as Record<string, unknown>)[name];
      return [
        name,
        other === undefined
          ? stage
          : (input: StageInput) => (isQuick(input.service) ? (other as typeof stage)(input) : stage(input)),
      ];
    }),
  ) as T;
