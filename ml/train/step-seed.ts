import { hash32 } from '../../domain/random.ts';

/** A seed for each step, and each part of it, so that no state has to be kept. */
export const stepSeed = (seed: number, step: number, part: number): number => hash32(`dropout:${seed}:${step}:${part}`);
