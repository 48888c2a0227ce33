import { CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { CycleInput, PromiseReport } from '../../contracts/messages.ts';
import type { Stage } from '../../contracts/plan.ts';
import { store } from '../options.ts';
import type { Timeline } from './timeline.ts';

/**
 * The promised response times: 'this stage is done within that time'. A timer each; one that runs out is noted in the
 * ledger at that moment, not when somebody looks.
 */
export class Promises {
  readonly #input: CycleInput;
  readonly #timeline: Timeline;
  readonly #startedAt = Date.now();
  readonly #broken = new Set<Stage>();
  readonly #scope = new CancellationScope();

  constructor(input: CycleInput, timeline: Timeline) {
    this.#input = input;
    this.#timeline = timeline;
  }

  watch(): void {
    for (const [stage, withinMs] of this.#entries()) {
      void this.#scope
        .run(() => this.#watchOne(stage, withinMs))
        .catch((error) => {
          if (!isCancellation(error)) throw error;
        });
    }
  }

  /** The cycle has ended: a promise about a stage that was not needed counts neither way. */
  settle(): void {
    this.#scope.cancel();
  }

  reports(): PromiseReport[] {
    return this.#entries().map(([stage, withinMs]) => {
      const endedAt = this.#endOf(stage);
      const tookMs = endedAt === null ? null : Date.parse(endedAt) - this.#startedAt;
      return {
        stage,
        withinMs,
        tookMs,
        kept: this.#broken.has(stage) ? false : tookMs === null ? null : tookMs <= withinMs,
      };
    });
  }

  async #watchOne(stage: Stage, withinMs: number): Promise<void> {
    if (await condition(() => this.#endOf(stage) !== null, withinMs, { summary: `promise: ${stage} done` })) return;
    this.#broken.add(stage);
    const { service, cycle } = this.#input;
    await CancellationScope.nonCancellable(() =>
      store.note({
        entries: [
          {
            key: `${workflowInfo().workflowId}/promise/${stage}`,
            service,
            cycle,
            kind: 'promise broken',
            actor: { kind: 'cycle', name: cycle },
            reason: `${stage} was promised within ${withinMs / 1000} s`,
            body: { stage, withinMs },
          },
        ],
      }),
    );
  }

  #endOf(stage: Stage): string | null {
    return this.#timeline.stages.find((report) => report.stage === stage && report.state !== 'failed')?.endedAt ?? null;
  }

  #entries(): Array<[Stage, number]> {
    return Object.entries(this.#input.plan.promises) as Array<[Stage, number]>;
  }
}
