/** What computes loss and gradient of a batch; how, each engine decides. */
import type { Graph } from '../graph/graph.ts';
import { type Feeds, openSession, type Session } from '../session/session.ts';
import type { Batch } from './batch.ts';
import { gradientName, type Trained } from './graphs.ts';
import { tooLarge } from './memory.ts';
import type { Layout } from './parameters.ts';
import type { TokenRows } from './token-rows.ts';

export interface Engine {
  /** The loss; the gradient lies in the array that the engine was opened with. */
  compute(batch: Batch): Promise<number>;
  close(): Promise<void>;
}

export interface EngineOptions extends Trained {
  readonly layout: Layout;
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly tokens: TokenRows;
  /** Bytes of memory that may still be taken. */
  readonly memory: () => number;
  /** Called between two parts of a batch. What it throws ends the batch there. */
  readonly onPart: () => void;
}

export const open = (graph: Graph, { model, plan }: Pick<EngineOptions, 'model' | 'plan'>): Promise<Session> =>
  openSession(graph.toModel(), model.folder, {
    provider: 'cpu',
    threads: plan.threads,
    arena: plan.mode === 'fast',
  });

/** Windows on a gradient under the names that a graph returns it by. */
export const gradientOutputs = (layout: Layout, gradient: Float32Array): Record<string, Float32Array> =>
  Object.fromEntries(Object.entries(layout.views(gradient)).map(([name, view]) => [gradientName(name), view]));

const OUT_OF_MEMORY =
  /failed to allocate memory|bad[ _]alloc|out of memory|invalid array length|array buffer allocation failed/i;

/** Runs a session; that memory was too small is said with what to change. */
export async function run(
  session: Session,
  feeds: Feeds,
  into: Readonly<Record<string, Float32Array>>,
  { plan }: Pick<EngineOptions, 'plan'>,
): ReturnType<Session['run']> {
  try {
    return await session.run(feeds, into);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (!OUT_OF_MEMORY.test(message)) throw cause;
    throw tooLarge(plan, `ONNX Runtime said: ${message.split('\n', 1)[0]}`, cause);
  }
}
