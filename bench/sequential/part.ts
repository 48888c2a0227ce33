/** One of the simulations of `bench sequential`: seeded, so that it finds the same whenever it is run. */
import type { Figure } from '../benchmark.ts';

export type Part = (progress: (line: string) => void) => readonly Figure[];
