import { readFile, rm } from 'node:fs/promises';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { LegNews } from '../adapters/training/leg-task.ts';
import { PawlError } from '../contracts/failures.ts';
import type { Checkpointed, LegProgress, LossPoint } from '../contracts/lora.ts';
import { continued } from '../domain/loss-curve.ts';

const CHECKPOINTS_NAMED = 2;

/** What a leg has come to: what was heard of it, and which of its checkpoints are in the store. */
export class Course {
  readonly #artifacts: Pick<ArtifactStore, 'put'>;
  readonly #begin: Checkpointed | null;
  #progress: LegProgress;
  #written: Promise<void> = Promise.resolve();

  /** `left`: by an attempt before this one, which may have come further than the checkpoint that this one begins from. */
  constructor(artifacts: Pick<ArtifactStore, 'put'>, left: LegProgress, begin: Checkpointed | null) {
    const step = begin?.step ?? 0;
    this.#artifacts = artifacts;
    this.#begin = begin;
    const until = <Point extends { readonly step: number }>(points: readonly Point[]) =>
      points.filter((point) => point.step <= step);
    this.#progress = { ...left, step, checkpoints: until(left.checkpoints), losses: until<LossPoint>(left.losses) };
  }

  /** What the heartbeat carries. */
  get progress(): LegProgress {
    return this.#progress;
  }

  /** Resolves when every checkpoint that was heard of is in the store. */
  get written(): Promise<void> {
    return this.#written;
  }

  get last(): Checkpointed {
    const last = this.#progress.checkpoints[0] ?? this.#begin;
    if (last) return { checkpoint: last.checkpoint, step: last.step };
    throw new PawlError('Internal', 'A leg of a fine-tune ended without a checkpoint.');
  }

  /** Resolves when what was heard is in `progress`. Checkpoints enter it in the order in which they were written. */
  hear(news: LegNews): Promise<void> {
    if (news.kind === 'step') {
      const { point, stepsPerSecond } = news;
      const losses = continued(this.#progress.losses, [point]);
      this.#progress = { ...this.#progress, losses, stepsPerSecond, step: point.step };
      return Promise.resolve();
    }
    this.#written = this.#written.then(() => this.#keep(news));
    return this.#written;
  }

  async #keep({ file, folder, step }: Extract<LegNews, { kind: 'checkpoint' }>): Promise<void> {
    const checkpoint = await this.#artifacts.put(await readFile(file));
    await rm(folder, { recursive: true, force: true });
    const checkpoints = [{ checkpoint, step }, ...this.#progress.checkpoints].slice(0, CHECKPOINTS_NAMED);
    this.#progress = { ...this.#progress, checkpoints };
  }
}
