/** Problems that a small network learns: figures, a yes or no, and its own input. */
import type { Graph } from '../graph/graph.ts';
import type { Tensor } from '../graph/tensor.ts';
import type { Feed } from '../session/session.ts';
import type { Problem } from './training.ts';

/** Numbers in rows of equal length. */
export interface Table {
  readonly columns: number;
  readonly data: Float32Array;
}

export const tableOf = (rows: readonly (readonly number[])[]): Table => ({
  columns: rows[0]?.length ?? 0,
  data: Float32Array.from(rows.flat()),
});
export const rowsOf = ({ data, columns }: Table): number => data.length / columns;

export const feedOf = (table: Table, rows: Uint32Array): Feed => {
  const data = new Float32Array(rows.length * table.columns);
  for (const [at, row] of rows.entries())
    data.set(table.data.subarray(row * table.columns, (row + 1) * table.columns), at * table.columns);
  return { type: 'float32', shape: [rows.length, table.columns], data };
};

/** Mean squared error. */
export const regression = (inputs: Table, targets: Table): Problem =>
  supervised(inputs, targets, (g, output, target) => {
    const difference = g.sub(output, target);
    return meanOf(g, g.mul(difference, difference));
  });

/** Cross-entropy of a logit and a target of 0 or 1 (or a probability): log(1 + eˣ) − x·target. */
export const yesOrNo = (inputs: Table, targets: Table): Problem =>
  supervised(inputs, targets, (g, output, target) => meanOf(g, g.sub(g.softplus(output), g.mul(output, target))));

/** Through a narrow layer and back (an autoencoder): what it cannot rebuild is unlike what it has seen. */
export const reconstruction = (inputs: Table): Problem => regression(inputs, inputs);

const supervised = (
  inputs: Table,
  targets: Table,
  loss: (g: Graph, output: Tensor, target: Tensor) => Tensor,
): Problem => ({
  examples: rowsOf(inputs),
  loss: (g, network) =>
    loss(g, network(g.input('inputs', ['rows', inputs.columns])), g.input('targets', ['rows', targets.columns])),
  feeds: (rows) => ({ inputs: feedOf(inputs, rows), targets: feedOf(targets, rows) }),
});

/** Over all rows and columns; how many rows there are is known at run time only. */
const meanOf = (g: Graph, x: Tensor): Tensor => {
  const count = g.cast(g.sizeOf(x.shape[0] ?? 1), 'float32');
  const sum = g.sum(g.mean(x, [1]), [0]);
  return g.sum(g.div(sum, count), [0, 1], false);
};
