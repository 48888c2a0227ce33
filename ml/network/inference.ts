import { Graph } from '../graph/graph.ts';
import { openSession } from '../session/session.ts';
import { constantTensors, forward, type Network } from './network.ts';
import type { Table } from './problems.ts';
import { ON_ONE_THREAD } from './training.ts';

export interface OpenNetwork {
  outputs(inputs: Table): Promise<Table>;
  close(): Promise<void>;
}

export async function openNetwork(network: Network): Promise<OpenNetwork> {
  const { shape } = network;
  const g = new Graph();
  const x = g.input('inputs', ['rows', shape.inputs]);
  g.output('outputs', forward(g, shape, constantTensors(g, network), x));
  const session = await openSession(g.toModel(), '.', ON_ONE_THREAD);
  return {
    outputs: async ({ columns, data }) => {
      if (columns !== shape.inputs) throw new RangeError(`rows of ${columns} numbers for ${shape.inputs} inputs`);
      const feed = { type: 'float32', shape: [data.length / columns, columns], data } as const;
      const { outputs } = await session.run({ inputs: feed });
      return { columns: shape.layers.at(-1)?.outputs ?? 0, data: outputs?.data ?? new Float32Array() };
    },
    close: () => session.close(),
  };
}
