/**
 * Where training stands, as one file that any worker goes on from.
 *
 * 1. It holds what the next step depends on: parameters, the optimiser's moments, the step, and the plan. Data order,
 *    dropout and learning rate follow from seed and step, so they need no state of their own.
 * 2. A file under its final name is whole, and says its own digest: whatever was changed in it since is noticed.
 * 3. The last three are kept. One that is damaged is passed over for the one before it.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { openSafetensors, readFloats } from '../safetensors/read.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import { Machine } from './machine.ts';

const KEPT = 3;
const VERSION = 1;
const NAME = /^step-(\d{8})\.safetensors$/;
const METADATA = 'pawl';

const About = z.object({
  version: z.literal(VERSION),
  step: z.number().int().nonnegative(),
  optimiserSteps: z.number().int().nonnegative(),
  totalSteps: z.number().int(),
  /** Whatever must be the same for the next step to be the same: plan, adapter, base model, data. */
  run: z.record(z.string(), z.unknown()),
  progress: z.object({ best: z.number().nullable(), bestStep: z.number().nullable(), without: z.number() }),
  machine: Machine,
});
export type About = z.infer<typeof About>;

export interface Floats {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export interface Checkpoint {
  readonly about: About;
  /** `parameter:`, `first:` and `second:` (the moments) and, where there was an evaluation, `best:` before each name. */
  readonly tensors: Readonly<Record<string, Floats>>;
}
/** What was found, and what had to be passed over on the way to it. */
export interface FoundCheckpoint extends Checkpoint {
  readonly path: string;
  readonly damaged: readonly string[];
}

export const checkpointName = (step: number): string => `step-${String(step).padStart(8, '0')}.safetensors`;

/** Returns the path of the file. */
export function saveCheckpoint(
  folder: string,
  checkpoint: Omit<Checkpoint, 'about'> & { about: Omit<About, 'version'> },
): string {
  mkdirSync(folder, { recursive: true });
  const about: About = { version: VERSION, ...checkpoint.about };
  const path = join(folder, checkpointName(about.step));
  const digest = digestOf({ about, tensors: checkpoint.tensors });
  writeSafetensors(path, checkpoint.tensors, { [METADATA]: canonicalJson({ about, digest }) });
  const names = readdirSync(folder);
  // Nobody else writes here: what has another name was left by a run that was killed.
  const left = names.filter((name) => name.startsWith('.step-') && name.endsWith('.tmp'));
  for (const name of [...checkpointsIn(names).slice(KEPT), ...left]) rmSync(join(folder, name), { force: true });
  return path;
}

/** The newest checkpoint of a folder that is whole. */
export function latestCheckpoint(folder: string): FoundCheckpoint {
  const damaged: string[] = [];
  for (const name of checkpointsIn(filesOf(folder))) {
    const path = join(folder, name);
    try {
      const checkpoint = readCheckpoint(path);
      const { step } = checkpoint.about;
      if (checkpointName(step) !== name) throw new PawlError('DigestMismatch', `${path} holds step ${step}.`);
      return { ...checkpoint, path, damaged };
    } catch (error) {
      damaged.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (damaged.length === 0) throw new PawlError('NotFound', `There is no checkpoint in ${folder}.`);
  throw new PawlError('DigestMismatch', `No checkpoint in ${folder} is whole: ${damaged.join('; ')}`, {
    hint: 'Train again from the beginning; the same plan gives the same steps.',
  });
}

export function readCheckpoint(path: string): Checkpoint {
  const file = openSafetensors(path);
  const { about, digest } = parsed(path, file.metadata[METADATA]);
  const tensors = Object.fromEntries(
    [...file.tensors.values()].map((tensor) => [tensor.name, { shape: tensor.shape, data: readFloats(tensor) }]),
  );
  if (digestOf({ about, tensors }) !== digest) {
    throw new PawlError('DigestMismatch', `${path} does not hold what was written: its digest differs.`);
  }
  return { about, tensors };
}

const Written = z.object({ about: About, digest: z.string() });
const parsed = (path: string, text: string | undefined): z.infer<typeof Written> => {
  try {
    return Written.parse(JSON.parse(text ?? 'null'));
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} is no checkpoint of version ${VERSION}.`, { cause });
  }
};

const digestOf = ({ about, tensors }: Checkpoint): string => {
  const hash = createHash('sha256').update(canonicalJson(about));
  for (const name of Object.keys(tensors).toSorted()) {
    const { shape, data } = tensors[name] as Floats;
    hash.update(`\n${name} [${shape}]\n`).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
};

/** Newest first. */
const checkpointsIn = (names: readonly string[]): string[] =>
  names.filter((name) => NAME.test(name)).toSorted((a, b) => (a < b ? 1 : -1));

const filesOf = (folder: string): string[] => {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new PawlError('NotFound', `There is no folder ${folder} to take a checkpoint from.`, { cause });
  }
};
