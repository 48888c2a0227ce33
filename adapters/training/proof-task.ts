/** Makes an adapter's files out of a checkpoint, and proves that they are served as they were trained. */
import type { LoraConfig, TrainingPlan } from '../../contracts/lora.ts';
import { crossEncoderGraph } from '../../ml/encoder/cross-encoder.ts';
import { encoderGraph } from '../../ml/encoder/graph.ts';
import { type EncoderModel, openEncoder } from '../../ml/encoder/open.ts';
import { tokenFeeds, tokenInputs } from '../../ml/encoder/tokens.ts';
import { Graph } from '../../ml/graph/graph.ts';
import { type Adapter, adapterShape } from '../../ml/lora/adapter.ts';
import { loadAdapter, saveAdapter } from '../../ml/lora/files.ts';
import { ServedEncoder } from '../../ml/session/served-encoder.ts';
import { type Feeds, openSession } from '../../ml/session/session.ts';
import { openTokenizer } from '../../ml/tokenizer/open.ts';
import { thisMachine } from '../../ml/train/machine.ts';
import { defineTask } from '../threads.ts';
import { type ParityProbe, type ProbeRow, proveParity } from './parity.ts';
import { adapterIn } from './trained-adapter.ts';

export interface ProofOrder {
  readonly model: string;
  readonly config: LoraConfig;
  readonly plan: TrainingPlan;
  /** Folder with the checkpoint, and the folder that the adapter's files are written into. */
  readonly from: string;
  readonly to: string;
  readonly baseName: string;
  readonly rows: readonly ProbeRow[];
}
export interface Proven {
  readonly parity: number;
  readonly probe: ParityProbe;
  readonly machine: Readonly<Record<string, unknown>>;
}

// A task begins while its module is still read: what it calls is declared, not assigned.
const ADAPTER = 'registered';

export const proof = defineTask(
  import.meta.url,
  async (order: ProofOrder, _report: (never: never) => void, tick: () => void): Promise<Proven> => {
    const { model: folder, config, plan, from, to, baseName, rows } = order;
    const model = openEncoder(folder);
    const trained = adapterIn(from, model, config, plan);
    saveAdapter(to, trained, baseName);
    const { lengths } = plan;
    const probe: ParityProbe = {
      v: 1,
      lengths,
      rows: [...rows],
      trained: await asTrained(model, trained, order, tick),
    };
    const machine = { ...thisMachine(plan.threads) };
    // What is served is what the files say, read as whoever serves reads them.
    return { parity: await served(folder, loadAdapter(to), plan, probe, tick), probe, machine };
  },
);

/** By the graph of the training itself, without its dropout. */
async function asTrained(
  model: EncoderModel,
  adapter: Adapter,
  { plan, rows }: ProofOrder,
  tick: () => void,
): Promise<number[][]> {
  const shape = { ...adapterShape(model, adapter), dropout: 0 };
  const graph = new Graph();
  const build = adapter.component === 'reranker' ? crossEncoderGraph : encoderGraph;
  graph.output('rows', build(graph, model, tokenInputs(graph), { adapter: shape, training: true }));
  const parameters: Feeds = Object.fromEntries(
    graph.params.map(({ name }) => {
      const { shape: sizes, data } = adapter.tensors.get(name) ?? { shape: [0], data: new Float32Array() };
      return [name, { type: 'float32' as const, shape: sizes, data }];
    }),
  );
  const tokenizer = openTokenizer(model.folder);
  const choice = { provider: 'cpu', threads: plan.threads, arena: plan.mode === 'fast' } as const;
  const session = await openSession(graph.toModel(), model.folder, choice);
  try {
    const results: number[][] = [];
    for (const row of rows) {
      const tokens =
        'pair' in row
          ? tokenizer.encodePairs([row.pair], pairLength(model, plan.lengths))
          : tokenizer.encode([row.text], Math.min(plan.lengths[row.side], model.maxLength));
      const { rows: output } = await session.run({ ...tokenFeeds(tokens), ...parameters });
      results.push([...(output?.data ?? [])]);
      tick();
    }
    return results;
  } finally {
    await session.close();
  }
}

async function served(
  folder: string,
  adapter: Adapter,
  plan: TrainingPlan,
  probe: ParityProbe,
  tick: () => void,
): Promise<number> {
  const encoder = new ServedEncoder(folder, { provider: 'cpu', threads: plan.threads, arena: plan.mode === 'fast' });
  try {
    encoder.addAdapter(ADAPTER, adapter);
    return await proveParity('The adapter', probe, async (rows, lengths) => {
      const results: Float32Array[] = [];
      for (const row of rows) {
        const order = { adapter: ADAPTER };
        results.push(
          'pair' in row
            ? await encoder.score({ ...order, pairs: [row.pair], maxLength: pairLength(encoder.model, lengths) })
            : await encoder.encode({ ...order, texts: [row.text], maxLength: lengths[row.side] }),
        );
        tick();
      }
      return results;
    });
  } finally {
    await encoder.close();
  }
}

function pairLength(model: EncoderModel, { query, document }: TrainingPlan['lengths']): number {
  return Math.min(query + document, model.config.positions);
}
