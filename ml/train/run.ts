/** Which training a checkpoint belongs to. */
import { PawlError } from '../../contracts/failures.ts';
import type { LoraConfig, TrainingPlan } from '../../contracts/lora.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

export interface Run {
  readonly plan: TrainingPlan;
  readonly config: LoraConfig;
  readonly base: string;
  /** Digest of the examples. */
  readonly examples: string;
  /** Digest of the adapter that it began with, or `new`. */
  readonly start: string;
}

/** What may change between two legs of a training: how long, how often it is looked at, and on what and how it runs. */
const FREE: readonly (keyof TrainingPlan)[] = [
  ...(['steps', 'evaluateEvery', 'checkpointEvery', 'patience'] as const),
  ...(['threads', 'mode', 'microBatch'] as const),
];

/** A checkpoint of another training is refused, with the first thing that differs. */
export function checkSameRun(path: string, then: Readonly<Record<string, unknown>>, now: Run): void {
  const [before, after] = [flat(then), flat(now)];
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const key = keys.find((one) => before.get(one) !== after.get(one));
  if (key === undefined) return;
  throw new PawlError(
    'Refused',
    `${path} is of another training: ${key} was ${before.get(key) ?? 'absent'} and is ${after.get(key) ?? 'absent'} now.`,
    { hint: 'Go on with what it was begun with, or begin anew in another folder.' },
  );
}

const flat = (run: object): Map<string, string> =>
  new Map(
    Object.entries(run).flatMap(([key, value]): [string, string][] => {
      if (key !== 'plan' && key !== 'config') return [[key, canonicalJson(value)]];
      return Object.entries(value as object)
        .filter(([name, of]) => of !== undefined && !(FREE as readonly string[]).includes(name))
        .map(([name, of]) => [`${key}.${name}`, canonicalJson(of)]);
    }),
  );
