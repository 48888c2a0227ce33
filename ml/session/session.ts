/**
 * One graph, ready to run.
 *
 * 1. Nothing is written: the graph goes in as bytes, and its external weights are mapped from the folder that is named, so
 *    a model's folder stays what its digest says. A weight outside of that folder is refused by ONNX Runtime itself.
 * 2. Outputs that were asked `into` an array lie in that very array; the shape follows from the feeds.
 * 3. `run` holds the thread until it is done: call it in a thread that has nothing else to do.
 */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { PawlError } from '../../contracts/failures.ts';
import type { DataType } from '../graph/tensor.ts';
import { type Provider, unavailable } from './provider.ts';
import { shapeOfOutput } from './shapes.ts';

export interface SessionChoice {
  readonly provider: Provider;
  /** Which of them, where a machine has several. */
  readonly device?: number;
  /** Threads that one operator is spread over. */
  readonly threads: number;
  /** Keeps freed memory for the next run: faster, and larger. */
  readonly arena: boolean;
  readonly optimisation?: 'disabled' | 'basic' | 'extended' | 'all';
}

export interface Feed {
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;
}
export type Feeds = Readonly<Record<string, Feed>>;

export interface Fetched {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export interface Session {
  run(feeds: Feeds, into?: Readonly<Record<string, Float32Array>>): Promise<Record<string, Fetched>>;
  close(): Promise<void>;
}

// What goes wrong is thrown, and said by whoever catches it.
env.logLevel = 'fatal';

const optionsOf = (folder: string, choice: SessionChoice): InferenceSession.SessionOptions => {
  const { provider, device = 0, threads, arena, optimisation = 'all' } = choice;
  return {
    executionProviders: [provider === 'cuda' ? { name: 'cuda', deviceId: device } : provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: optimisation,
    enableCpuMemArena: arena,
    // A plan of memory for each combination of shapes that comes: texts differ in length, so there would be one for every run.
    enableMemPattern: false,
    logSeverityLevel: 4,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  };
};

/** `folder`: where the graph's external weights lie. */
export async function openSession(model: Uint8Array, folder: string, choice: SessionChoice): Promise<Session> {
  const opened = await open(model, folder, choice);
  let closed = false;
  return {
    run: async (feeds, into = {}) => {
      if (closed) throw new PawlError('Internal', 'The session is closed.');
      checkNames(opened, feeds);
      return fetched(await opened.run(tensorsOf(feeds), fetchesOf(opened, feeds, into)));
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await opened.release();
    },
  };
}

const open = async (model: Uint8Array, folder: string, choice: SessionChoice): Promise<InferenceSession> => {
  try {
    return await InferenceSession.create(model, optionsOf(folder, choice));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (/External data/.test(message)) {
      throw new PawlError('NotFound', `The model's weights are not where it says, in ${folder}: ${message}`, {
        hint: 'Import the model again: `pawl model import` checks every file.',
        cause: error,
      });
    }
    if (choice.provider !== 'cpu') throw unavailable(choice.provider, choice.device ?? 0, error);
    throw new PawlError('Internal', `ONNX Runtime refuses the graph: ${message}`, { cause: error });
  }
};

/** ONNX Runtime's own word for it names neither what is too much nor what there is. */
const checkNames = ({ inputNames }: InferenceSession, feeds: Feeds): void => {
  const missing = inputNames.filter((name) => !Object.hasOwn(feeds, name));
  const unknown = Object.keys(feeds).filter((name) => !inputNames.includes(name));
  if (missing.length + unknown.length === 0) return;
  const list = (what: string, names: readonly string[]) => (names.length === 0 ? [] : [`${what}: ${names.join(', ')}`]);
  throw new PawlError('Internal', [...list('not fed', missing), ...list('no such input', unknown)].join('; '));
};

const tensorsOf = (feeds: Feeds): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, shape }]) => [
      name,
      new Tensor(type, data as Tensor.DataTypeMap[typeof type], [...shape]),
    ]),
  );

const fetchesOf = (
  session: InferenceSession,
  feeds: Feeds,
  into: Readonly<Record<string, Float32Array>>,
): Record<string, Tensor | null> =>
  Object.fromEntries(
    session.outputNames.map((name) => {
      const array = into[name];
      return [name, array ? new Tensor('float32', array, shapeOfOutput(session, name, feeds, array.length)) : null];
    }),
  );

const fetched = (results: InferenceSession.OnnxValueMapType): Record<string, Fetched> =>
  Object.fromEntries(
    Object.entries(results).map(([name, value]) => {
      const { type, data, dims } = value as Tensor;
      if (type !== 'float32') throw new PawlError('Internal', `The output ${name} is ${type}, not float32.`);
      return [name, { shape: dims, data: data as Float32Array }];
    }),
  );
