/**
 * A LoRA step against PyTorch + PEFT: the same batches, threads and adapter, taking turns in one run, each side in a process of
 * its own. Time is forward, backward, clipping and AdamW; memory is the most that a process ever held, libraries and all.
 */
import { fileURLToPath } from 'node:url';
import { modelCacheOf } from '../adapters/models/of-environment.ts';
import { DEFAULT_SOURCE } from '../adapters/models/source.ts';
import { PawlError } from '../contracts/failures.ts';
import { median, percentile } from '../domain/percentile.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import { atMost, type Benchmark, explaining, type Figure } from './benchmark.ts';
import { CONFIG, examplesOf, PLAN, peerSteps, STEPS_OF_AN_EPOCH } from './lora/batches.ts';
import { type Stepped, TrainingSide } from './lora/side.ts';

const ROUNDS = 12;
const SAME_LOSS = 1e-3;
const MB = 2 ** 20;
const OWN = fileURLToPath(new URL('lora/own.ts', import.meta.url));
const PEER = fileURLToPath(new URL('lora/peer.py', import.meta.url));

/** A side with what it is told for each step, and its answers. */
interface Runner {
  readonly side: TrainingSide;
  readonly toldAt: (step: number) => unknown;
  readonly steps: Stepped[];
}

const runnerOf = (side: TrainingSide, toldAt: (step: number) => unknown = () => ({})): Runner => ({
  side,
  toldAt,
  steps: [],
});

const stepAll = async (runners: readonly Runner[], step: number): Promise<void> => {
  // Whoever begins changes, so that nobody always runs after the same one.
  const first = step % runners.length;
  for (const runner of [...runners.slice(first), ...runners.slice(0, first)]) {
    runner.steps.push(await runner.side.step(runner.toldAt(step)));
  }
};

/** A fresh adapter changes nothing, so the first loss is that of the base model, however the adapter was drawn. */
const checkLoss = (own: Runner, peer: Runner): void => {
  const [mine, theirs] = [own, peer].map(({ steps }) => steps[0]?.loss ?? Number.NaN) as [number, number];
  if (Math.abs(mine - theirs) <= SAME_LOSS * theirs) return;
  throw new PawlError('Unhealthy', `The first loss of ${own.side.name} is ${mine}, and that of its peer ${theirs}.`, {
    hint: 'Both sides should have had the same batch: what they were told differs, or one of them is wrong.',
  });
};

const figuresOf = (own: Runner, peer: Runner, most: { time: number; memory: number }): Figure[] => {
  const { name } = own.side;
  const measured = ({ steps }: Runner): Stepped[] => steps.slice(-ROUNDS);
  const times = measured(own).map(({ seconds }) => seconds);
  const ratios = measured(own).map(({ seconds }, n) => seconds / (measured(peer)[n]?.seconds ?? seconds));
  const peak = ({ steps }: Runner): number => Math.max(...steps.map(({ peakBytes }) => peakBytes));
  return [
    atMost(most.time, explaining(`${name}: time of a step / peer`, median(ratios), '×', ROUNDS)),
    explaining('  lowest round', percentile(ratios, 0), '×', ROUNDS),
    explaining('  highest round', percentile(ratios, 1), '×', ROUNDS),
    explaining('  time of a step', median(times) * 1_000, 'ms', ROUNDS),
    atMost(most.memory, explaining(`${name}: peak memory / peer`, peak(own) / peak(peer), '×', 1)),
    explaining('  peak memory', peak(own) / MB, 'MB', 1),
  ];
};

export const lora: Benchmark = {
  about: 'a LoRA training step in fast and frugal mode against PyTorch + PEFT: time and peak memory',
  run: async (progress) => {
    const environment = readEnvironment();
    const { folder } = await modelCacheOf(environment).import(DEFAULT_SOURCE, { tell: progress });
    const examples = examplesOf();
    const own = (mode: 'fast' | 'frugal') => ({
      runner: runnerOf(new TrainingSide(mode, process.execPath, [OWN])),
      setup: { folder, examples, config: CONFIG, plan: { ...PLAN, mode }, totalSteps: PLAN.steps },
    });
    const python = new TrainingSide(`${environment.python} (the peer)`, environment.python, [PEER]);
    const peer = runnerOf(python, peerSteps(folder, examples));
    const [fast, frugal] = [own('fast'), own('frugal')];
    const runners = [fast.runner, frugal.runner, peer];
    try {
      const { versions: theirs } = await python.setUp({
        ...{ model: folder, threads: PLAN.threads, rank: CONFIG.rank, alpha: CONFIG.alpha },
        ...{ targets: String.raw`.*\.(query|key|value|dense)`, learningRate: PLAN.learningRate },
        ...{ weightDecay: PLAN.weightDecay, clip: PLAN.clip, scale: PLAN.scale, checkpointing: false },
      });
      const { versions } = await fast.runner.side.setUp(fast.setup);
      await frugal.runner.side.setUp(frugal.setup);
      for (let step = 0; step < STEPS_OF_AN_EPOCH + ROUNDS; step++) {
        progress(`step ${step + 1} of ${STEPS_OF_AN_EPOCH + ROUNDS}`);
        await stepAll(runners, step);
        if (step === 0) for (const { runner } of [fast, frugal]) checkLoss(runner, peer);
      }
      const peerTimes = peer.steps.slice(-ROUNDS).map(({ seconds }) => seconds);
      return {
        figures: [
          ...figuresOf(fast.runner, peer, { time: 0.85, memory: 0.8 }),
          ...figuresOf(frugal.runner, peer, { time: 1, memory: 0.6 }),
          explaining('peer: time of a step', median(peerTimes) * 1_000, 'ms', ROUNDS),
          explaining('peer: peak memory', (peer.steps.at(-1)?.peakBytes ?? 0) / MB, 'MB', 1),
        ],
        versions: { ...versions, ...theirs },
      };
    } finally {
      for (const { side } of runners) side.close();
    }
  },
};
