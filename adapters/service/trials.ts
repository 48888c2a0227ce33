/** What a schema cannot say of trials: conditions that can be read, and an A/B evaluation that has a canary after it. */
import type { PawlYaml, Settings } from '../../contracts/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import { ENVIRONMENTS } from '../../contracts/plan.ts';
import { parseCondition } from '../../domain/canary/condition.ts';
import type { KeyPath, Problem, YamlFile } from './yaml.ts';

export const conditionProblems = (config: PawlYaml, file: YamlFile): Problem[] => [
  ...problemsIn(config.canary, [], file),
  ...ENVIRONMENTS.flatMap((name) => problemsIn(config.profiles?.[name]?.canary, ['profiles', name], file)),
];

const problemsIn = (canary: Settings['canary'] | undefined, before: KeyPath, file: YamlFile): Problem[] =>
  Object.entries(canary?.analyses ?? {}).flatMap(([name, { measures }]) =>
    measures.flatMap((measure, n) =>
      (['success', 'failure'] as const).flatMap((side) => {
        const path = [...before, 'canary', 'analyses', name, 'measures', n, side];
        const why = measure[side] === null ? null : whyUnreadable(measure[side]);
        return why === null ? [] : [{ line: file.lineOf(path), text: `${path.join('.')}: ${why}` }];
      }),
    ),
  );

const whyUnreadable = (text: string): string | null => {
  try {
    parseCondition(text);
    return null;
  } catch (error) {
    if (!(error instanceof PawlError)) throw error;
    return error.hint === undefined ? error.message : `${error.message} ${error.hint}`;
  }
};

/** What is better goes on to a canary, which is what promotes. */
export const whyNoTrial = ({ ab, canary }: Pick<Settings, 'ab' | 'canary'>): string | null =>
  ab !== null && canary === null ? 'ab: an A/B evaluation needs a canary after it, and there is none' : null;
