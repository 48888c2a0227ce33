/** What the sequential statistics promise, simulated: the product's own functions on made data whose truth is known. */
import type { Benchmark } from './benchmark.ts';
import { challengers } from './sequential/challengers.ts';
import { falsePositives } from './sequential/false-positives.ts';
import { interleaving } from './sequential/interleaving.ts';
import { judge } from './sequential/judge.ts';
import type { Part } from './sequential/part.ts';
import { power } from './sequential/power.ts';
import { sampleRatio } from './sequential/sample-ratio.ts';

const PARTS: readonly Part[] = [falsePositives, power, sampleRatio, interleaving, challengers, judge];

export const sequential: Benchmark = {
  about: 'false alarms, power and duration of tests that are looked at as they run; sample ratio, interleaving, judge',
  run: async (progress) => ({
    figures: PARTS.flatMap((part) => part(progress)),
    versions: { node: process.versions.node },
  }),
};
