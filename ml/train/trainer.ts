/**
 * Trains an adapter, step by step.
 *
 * 1. A step depends on the parameters, the optimiser's moments, the number of the step, and nothing else; all of it is in a
 *    checkpoint. So a resumed run equals an unbroken one, bit for bit on the same machine (machine.ts).
 * 2. A step whose loss or gradient is no number changes nothing, and says which examples it was given. Nor does one that
 *    `onPart` ends between two parts of its batch: the next one is the same step once more.
 * 3. `step` holds its thread until it is done: run it in a thread that has nothing else to do.
 */
import { createHash } from 'node:crypto';
import type { LoraConfig, LossPoint, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { EncoderModel } from '../encoder/open.ts';
import { type Adapter, adapterShape, newAdapter } from '../lora/adapter.ts';
import { tensorShapes } from '../lora/shape.ts';
import { openTokenizer } from '../tokenizer/open.ts';
import { AdamW } from './adamw.ts';
import { batchOf, relevanceOf } from './batch.ts';
import { type Checkpoint, latestCheckpoint, saveCheckpoint } from './checkpoint.ts';
import { NO_PROGRESS, outOfPatience, type Progress, progressed } from './early-stopping.ts';
import { microBatches, wholeBatch } from './encoder-engines.ts';
import type { Engine } from './engine.ts';
import { clipping, normOf } from './gradient.ts';
import { differences, thisMachine } from './machine.ts';
import { memoryLeft } from './memory.ts';
import { NotANumber } from './not-a-number.ts';
import { orderOf } from './order.ts';
import { Layout } from './parameters.ts';
import { checkPlan } from './plan.ts';
import { reranker } from './reranker-engine.ts';
import { checkSameRun, type Run } from './run.ts';
import { learningRateAt } from './schedule.ts';
import { TokenRows } from './token-rows.ts';

export interface TrainerOptions {
  readonly model: EncoderModel;
  readonly config: LoraConfig;
  readonly plan: TrainingPlan;
  readonly examples: readonly TrainingExample[];
  /** Of the whole training, by which the learning rate falls. */
  readonly totalSteps: number;
  /** A folder of checkpoints to go on from. */
  readonly from?: string;
  /** What it starts with instead of a new adapter. */
  readonly start?: Adapter;
  /** Bytes of memory that may still be taken. */
  readonly memory?: () => number;
  /** Called between two micro-batches; what it throws ends the step. */
  readonly onPart?: () => void;
}

export class Trainer {
  readonly #options: TrainerOptions;
  readonly #fresh: Adapter;
  readonly #layout: Layout;
  readonly #parameters: Float32Array;
  readonly #gradient: Float32Array;
  readonly #optimiser: AdamW;
  readonly #order: (step: number) => Uint32Array;
  readonly #relevance: ReturnType<typeof relevanceOf>;
  readonly #run: Run;
  #engine: Engine | null = null;
  #steps = 0;
  #progress: Progress = NO_PROGRESS;
  #best: Float32Array | null = null;
  #notes: readonly string[] = [];

  private constructor(options: TrainerOptions) {
    const { model, config, plan, examples } = options;
    checkPlan(plan);
    this.#options = options;
    this.#order = orderOf({ examples: examples.length, batch: plan.batch, seed: plan.seed });
    this.#relevance = relevanceOf(examples);
    this.#fresh = options.start ?? newAdapter(model, config, plan.seed, plan.component);
    this.#layout = new Layout(tensorShapes(adapterShape(model, this.#fresh)));
    this.#parameters = new Float32Array(this.#layout.size);
    this.#gradient = new Float32Array(this.#layout.size);
    this.#layout.fill(this.#parameters, (name) => this.#fresh.tensors.get(name)?.data);
    this.#optimiser = new AdamW(this.#layout.size, plan);
    this.#run = { plan, config, base: this.#fresh.base, examples: digestOf(examples), start: startOf(options) };
  }

  static async open(options: TrainerOptions): Promise<Trainer> {
    const trainer = new Trainer(options);
    if (options.from !== undefined) trainer.#resume(options.from);
    trainer.#engine = await trainer.#openEngine();
    return trainer;
  }

  /** Steps that are done. */
  get steps(): number {
    return this.#steps;
  }

  /** What whoever watches should know: a damaged checkpoint that was passed over, a machine unlike the one before. */
  get notes(): readonly string[] {
    return this.#notes;
  }

  get progress(): Progress {
    return this.#progress;
  }

  async step(): Promise<LossPoint> {
    const { plan, totalSteps, examples } = this.#options;
    if (!this.#engine) throw new Error('This trainer is closed.');
    const step = this.#steps;
    const positions = this.#order(step);
    const loss = await this.#engine.compute(batchOf(examples, this.#relevance, positions, step));
    const gradientNorm = normOf(this.#gradient);
    if (!Number.isFinite(loss)) throw new NotANumber('loss', loss, step, [...positions]);
    if (!Number.isFinite(gradientNorm)) throw new NotANumber('gradient', gradientNorm, step, [...positions]);
    const learningRate = learningRateAt(plan, step, totalSteps);
    this.#optimiser.update(this.#parameters, this.#gradient, learningRate, clipping(gradientNorm, plan.clip));
    this.#steps += 1;
    return { step: this.#steps, loss, learningRate, gradientNorm };
  }

  /** Hears what an evaluation of the adapter as it is now came to. The best one so far is kept. */
  evaluated(figure: number): { readonly isBest: boolean; readonly stop: boolean } {
    this.#progress = progressed(this.#progress, this.#steps, figure);
    const isBest = this.#progress.bestStep === this.#steps;
    if (isBest) this.#best = this.#parameters.slice();
    return { isBest, stop: outOfPatience(this.#progress, this.#options.plan.patience) };
  }

  /** Of the last step, before clipping, by parameter. */
  gradients(): Readonly<Record<string, Float32Array>> {
    return this.#layout.views(this.#gradient.slice());
  }

  /** As it is now. Its numbers do not change with further steps. */
  adapter(): Adapter {
    return this.#adapterOf(this.#parameters);
  }

  /** As it was when its evaluation was best; as it is now, where there was none. */
  best(): Adapter {
    return this.#adapterOf(this.#best ?? this.#parameters);
  }

  /** Returns the file of the checkpoint. */
  save(folder: string): string {
    const { totalSteps, plan } = this.#options;
    return saveCheckpoint(folder, {
      about: {
        step: this.#steps,
        optimiserSteps: this.#optimiser.steps,
        totalSteps,
        run: { ...this.#run },
        progress: this.#progress,
        machine: thisMachine(plan.threads),
      },
      tensors: {
        ...this.#layout.tensors(this.#parameters, 'parameter:'),
        ...this.#layout.tensors(this.#optimiser.first, 'first:'),
        ...this.#layout.tensors(this.#optimiser.second, 'second:'),
        ...(this.#best ? this.#layout.tensors(this.#best, 'best:') : {}),
      },
    });
  }

  async close(): Promise<void> {
    await this.#engine?.close();
    this.#engine = null;
  }

  #resume(folder: string): void {
    const { about, tensors, damaged, path } = latestCheckpoint(folder);
    checkSameRun(path, about.run, this.#run);
    const fill = (flat: Float32Array, prefix: string) =>
      this.#layout.fill(flat, (name) => tensors[prefix + name]?.data);
    fill(this.#parameters, 'parameter:');
    fill(this.#optimiser.first, 'first:');
    fill(this.#optimiser.second, 'second:');
    this.#best = about.progress.bestStep === null ? null : this.#filledBest(tensors);
    this.#optimiser.steps = about.optimiserSteps;
    this.#steps = about.step;
    this.#progress = about.progress;
    this.#notes = [
      ...damaged.map((what) => `${what} Step ${about.step} was taken instead.`),
      ...differences(about.machine, thisMachine(this.#options.plan.threads)),
    ];
  }

  #filledBest(tensors: Checkpoint['tensors']): Float32Array {
    const best = new Float32Array(this.#layout.size);
    this.#layout.fill(best, (name) => tensors[`best:${name}`]?.data);
    return best;
  }

  #openEngine(): Promise<Engine> {
    const { model, plan, memory = memoryLeft, onPart = () => undefined } = this.#options;
    const options = {
      ...{ model, plan, memory, onPart, layout: this.#layout, parameters: this.#parameters, gradient: this.#gradient },
      shape: adapterShape(model, this.#fresh),
      tokens: new TokenRows(openTokenizer(model.folder)),
    };
    if (plan.component === 'reranker') return reranker(options);
    return (plan.microBatch ?? plan.batch) < plan.batch ? microBatches(options) : wholeBatch(options);
  }

  #adapterOf(parameters: Float32Array): Adapter {
    const tensors = Object.entries(this.#layout.tensors(parameters.slice()));
    return { ...this.#fresh, tensors: new Map(tensors) };
  }
}

const digestOf = (value: unknown): string => createHash('sha256').update(canonicalJson(value)).digest('hex');

const startOf = ({ start }: TrainerOptions): string =>
  start ? digestOf([...start.tensors].map(([name, { data }]) => [name, digestOfFloats(data)])) : 'new';

const digestOfFloats = ({ buffer, byteOffset, byteLength }: Float32Array): string =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
