/** Whether a run will fit into memory, told before it is tried: where memory ends, the system ends the process unasked. */
import { freemem } from 'node:os';
import { PawlError } from '../../contracts/failures.ts';
import type { TrainingPlan } from '../../contracts/lora.ts';
import type { EncoderModel } from '../encoder/open.ts';

/**
 * Numbers that are kept for each token from the forward to the backward pass, in multiples of the widths of a layer; and for
 * each pair of tokens and head. Estimates from the shapes, and low ones: what is refused would surely not have fitted.
 */
const PER_HIDDEN = 12;
const PER_INTERMEDIATE = 3;
const PER_PAIR = 2;
const BYTES = 4;

export interface Load {
  readonly texts: number;
  readonly longest: number;
  readonly tokens: number;
}

export const loadOf = (lengths: readonly number[]): Load => ({
  texts: lengths.length,
  longest: Math.max(0, ...lengths),
  tokens: lengths.reduce((sum, length) => sum + length, 0),
});

/** Bytes that a forward and backward pass takes at least. */
export function expectedBytes({ config }: Pick<EncoderModel, 'config'>, { texts, longest, tokens }: Load): number {
  const perToken = PER_HIDDEN * config.hidden + PER_INTERMEDIATE * config.intermediate;
  const perPair = PER_PAIR * config.heads;
  return BYTES * config.layers * (tokens * perToken + texts * longest ** 2 * perPair);
}

/** What this process may still take. Within a container, that is the container's limit. */
export const memoryLeft = (): number => process.availableMemory?.() ?? freemem();

interface Limited {
  readonly model: EncoderModel;
  readonly plan: TrainingPlan;
  /** Bytes that may still be taken, asked before each run. */
  readonly memory: () => number;
}

export function checkMemory(lengths: readonly number[], { model, plan, memory }: Limited): void {
  const load = loadOf(lengths);
  const [needed, left] = [expectedBytes(model, load), memory()];
  if (needed <= left) return;
  const texts = `${load.texts} texts of up to ${load.longest} tokens`;
  throw tooLarge(plan, `${texts} need about ${gigabytes(needed)}; ${gigabytes(left)} are left.`);
}

export const tooLarge = ({ microBatch, batch }: TrainingPlan, because: string, cause?: unknown): PawlError => {
  const atOnce = microBatch ?? batch;
  return new PawlError(
    'ConfigInvalid',
    `The memory of this machine does not hold ${atOnce} examples at once. ${because}`,
    {
      hint: `Set microBatch below ${atOnce} (the gradient stays that of the whole batch), mode to frugal, or lengths shorter.`,
      cause,
    },
  );
};

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GB`;
