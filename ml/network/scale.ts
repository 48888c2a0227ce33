/** Inputs of a network at one scale: mean 0 and deviation 1 over the rows that it learns from. */
import { type Network, partsOf } from './network.ts';
import { rowsOf, type Table } from './problems.ts';

export interface Scale {
  readonly means: Float64Array;
  /** 1 for a column that never changes. */
  readonly deviations: Float64Array;
}

/** What the mean of a column that never changes may be off by: divided by it, the column would drown all others. */
const ROUNDING = 1e-6;

export function scaleOf(table: Table): Scale {
  const rows = rowsOf(table);
  const sumOver = (of: (value: number, column: number) => number): Float64Array => {
    const sums = new Float64Array(table.columns);
    for (const [at, value] of table.data.entries()) {
      const column = at % table.columns;
      sums[column] = (sums[column] ?? 0) + of(value, column) / rows;
    }
    return sums;
  };
  const means = sumOver((value) => value);
  const squares = sumOver((value, column) => (value - (means[column] ?? 0)) ** 2);
  const deviations = squares.map((square, column) => {
    const deviation = Math.sqrt(square);
    return deviation > ROUNDING * Math.max(1, Math.abs(means[column] ?? 0)) ? deviation : 1;
  });
  return { means, deviations };
}

export const scaled = ({ columns, data }: Table, { means, deviations }: Scale): Table => ({
  columns,
  data: data.map((value, at) => (value - (means[at % columns] ?? 0)) / (deviations[at % columns] ?? 1)),
});

/** The network that gives for rows as they are what this one gives for scaled rows. */
export function foldScale({ shape, parameters }: Network, { means, deviations }: Scale): Network {
  const folded = parameters.slice();
  const [weight, bias] = partsOf(shape);
  if (!weight || !bias) return { shape, parameters: folded };
  for (let at = weight.from; at < weight.to; at++) {
    const [row, column] = [Math.floor(at / shape.inputs), at % shape.inputs];
    const slope = (parameters[at] ?? 0) / (deviations[column] ?? 1);
    folded[at] = slope;
    folded[bias.from + row] = (folded[bias.from + row] ?? 0) - slope * (means[column] ?? 0);
  }
  return { shape, parameters: folded };
}
