import { expect, test } from 'vitest';
import { BACKWARD } from '../../../ml/graph/backward.ts';
import type { Graph } from '../../../ml/graph/graph.ts';
import type { Tensor } from '../../../ml/graph/tensor.ts';
import { builds, type Differentiated, gradientErrors } from '../../support/finite-differences.ts';

/** Differences of single-precision values come no closer; a wrong rule is off by a tenth or more. */
const CLOSE = 1e-4;

const one = (shape: readonly number[], build: (g: Graph, x: Tensor) => Tensor, positive = false): Differentiated => ({
  ...{ shapes: [shape], positive },
  build: (g, [x]) => build(g, x as Tensor),
});
const two = (
  shapes: readonly [readonly number[], readonly number[]],
  build: (g: Graph, a: Tensor, b: Tensor) => Tensor,
  positive = false,
): Differentiated => ({ shapes, positive, build: (g, [a, b]) => build(g, a as Tensor, b as Tensor) });

const rows = (g: Graph, values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  g.constant(shape, BigInt64Array.from(values, BigInt), 'int64');
const yesNo = (g: Graph, values: readonly number[], shape: readonly number[]): Tensor =>
  g.constant(shape, Uint8Array.from(values), 'bool');

/** Every operator that a gradient goes through, in each of the forms that its rule tells apart. */
const CASES: Readonly<Record<keyof typeof BACKWARD, Readonly<Record<string, Differentiated>>>> = {
  Add: {
    'of equal shapes': two(
      [
        [3, 4],
        [3, 4],
      ],
      (g, a, b) => g.add(a, b),
    ),
    'of a row to every row': two([[3, 4], [4]], (g, a, b) => g.add(a, b)),
    'of a scalar': two([[3, 4], []], (g, a, b) => g.add(a, b)),
    'of a column to a row': two(
      [
        [3, 1],
        [1, 4],
      ],
      (g, a, b) => g.add(a, b),
    ),
    'to itself': one([3], (g, x) => g.add(x, x)),
  },
  Sub: {
    'of equal shapes': two(
      [
        [3, 4],
        [3, 4],
      ],
      (g, a, b) => g.sub(a, b),
    ),
    'of a larger from a smaller': two(
      [
        [3, 1],
        [2, 3, 4],
      ],
      (g, a, b) => g.sub(a, b),
    ),
  },
  Mul: {
    'of equal shapes': two(
      [
        [3, 4],
        [3, 4],
      ],
      (g, a, b) => g.mul(a, b),
    ),
    'with a column': two(
      [
        [2, 3, 4],
        [3, 1],
      ],
      (g, a, b) => g.mul(a, b),
    ),
    'with itself': one([3, 4], (g, x) => g.mul(x, x)),
  },
  Div: {
    'of equal shapes': two(
      [
        [3, 4],
        [3, 4],
      ],
      (g, a, b) => g.div(a, b),
      true,
    ),
    'by a row': two(
      [
        [3, 4],
        [1, 4],
      ],
      (g, a, b) => g.div(a, b),
      true,
    ),
    'of a row': two([[4], [3, 4]], (g, a, b) => g.div(a, b), true),
  },
  Neg: { 'of a matrix': one([3, 4], (g, x) => g.neg(x)) },
  Exp: { 'of a matrix': one([3, 4], (g, x) => g.exp(x)) },
  Log: { 'of a matrix': one([3, 4], (g, x) => g.log(x), true) },
  Sqrt: { 'of a matrix': one([3, 4], (g, x) => g.sqrt(x), true) },
  Tanh: { 'of a matrix': one([3, 4], (g, x) => g.tanh(x)) },
  Sigmoid: { 'of a matrix': one([3, 4], (g, x) => g.sigmoid(x)) },
  Relu: {
    'above zero': one([3, 4], (g, x) => g.relu(x), true),
    'below zero, beside what is above': one([3, 4], (g, x) => g.add(g.relu(g.sub(x, 3)), g.relu(x)), true),
  },
  Softplus: { 'of a matrix': one([3, 4], (g, x) => g.softplus(x)) },
  Erf: { 'of a matrix': one([3, 4], (g, x) => g.erf(x)) },
  Gelu: { 'of a matrix': one([3, 4], (g, x) => g.gelu(x)) },
  Softmax: { 'of rows': one([3, 5], (g, x) => g.softmax(x)) },
  LogSoftmax: { 'of rows': one([3, 5], (g, x) => g.logSoftmax(x)) },

  MatMul: {
    'of matrices': two(
      [
        [3, 4],
        [4, 5],
      ],
      (g, a, b) => g.matmul(a, b),
    ),
    'of a batch with one matrix': two(
      [
        [2, 3, 4],
        [4, 5],
      ],
      (g, a, b) => g.matmul(a, b),
    ),
    'of a batch with a batch': two(
      [
        [2, 3, 4],
        [2, 4, 5],
      ],
      (g, a, b) => g.matmul(a, b),
    ),
    'of one matrix with a batch': two(
      [
        [3, 4],
        [2, 4, 5],
      ],
      (g, a, b) => g.matmul(a, b),
    ),
  },
  FusedMatMul: {
    'with the second transposed': two(
      [
        [2, 3, 4],
        [5, 4],
      ],
      (g, a, b) => g.matmul(a, b, { transB: true, alpha: 0.7 }),
    ),
    'with the first transposed': two(
      [
        [2, 4, 3],
        [2, 4, 5],
      ],
      (g, a, b) => g.matmul(a, b, { transA: true }),
    ),
    'with both transposed': two(
      [
        [2, 4, 3],
        [2, 5, 4],
      ],
      (g, a, b) => g.matmul(a, b, { transA: true, transB: true, alpha: 0.7 }),
    ),
    'of batches in two dimensions': two(
      [
        [2, 2, 3, 4],
        [2, 2, 5, 4],
      ],
      (g, a, b) => g.matmul(a, b, { transB: true }),
    ),
    'of a transposed batch with one matrix': two(
      [
        [2, 4, 3],
        [4, 5],
      ],
      (g, a, b) => g.matmul(a, b, { transA: true }),
    ),
    'scaled only': two(
      [
        [2, 3, 4],
        [4, 5],
      ],
      (g, a, b) => g.matmul(a, b, { alpha: 0.7 }),
    ),
    'of matrices': two(
      [
        [3, 4],
        [5, 4],
      ],
      (g, a, b) => g.matmul(a, b, { transB: true, alpha: 0.7 }),
    ),
  },
  Gemm: {
    'through a weight, with a bias': {
      shapes: [[3, 4], [5, 4], [5]],
      build: (g, [x, w, b]) => g.linear(x as Tensor, w as Tensor, b as Tensor, 0.7),
    },
    'on top of a matrix': {
      shapes: [
        [3, 4],
        [4, 5],
        [3, 5],
      ],
      build: (g, [a, b, c]) => g.gemm(a as Tensor, b as Tensor, { plus: c as Tensor, alpha: 0.7 }),
    },
    'with the first transposed': two(
      [
        [4, 3],
        [4, 5],
      ],
      (g, a, b) => g.gemm(a, b, { transA: true, alpha: 0.7 }),
    ),
    'with both transposed': two(
      [
        [4, 3],
        [5, 4],
      ],
      (g, a, b) => g.gemm(a, b, { transA: true, transB: true }),
    ),
    'twice through the same weight': two(
      [
        [3, 4],
        [4, 4],
      ],
      (g, x, w) => g.linear(g.linear(x, w, null), w, null),
    ),
    'by itself': one([3, 3], (g, x) => g.gemm(x, x, { plus: x })),
  },

  Identity: { 'of a matrix': one([3, 4], (g, x) => g.op('Identity', [x], [x.shape])[0] as Tensor) },
  Reshape: { 'of a block': one([2, 3, 4], (g, x) => g.mul(g.reshape(x, [6, 4]), g.reshape(x, [6, 4]))) },
  Transpose: { 'of three dimensions': one([2, 3, 4], (g, x) => g.transpose(x, [2, 0, 1])) },
  Unsqueeze: { 'in front and behind': one([3, 4], (g, x) => g.unsqueeze(x, [0, -1])) },
  Squeeze: { 'of two dimensions': one([1, 3, 1, 4], (g, x) => g.squeeze(x, [0, 2])) },
  Expand: {
    'of a column': two(
      [
        [3, 1],
        [3, 4],
      ],
      (g, a, b) => g.mul(g.expandLike(a, b), b),
    ),
  },
  Concat: {
    'below each other': two(
      [
        [2, 4],
        [3, 4],
      ],
      (g, a, b) => g.concat([a, b], 0),
    ),
    'beside each other, with itself': two(
      [
        [2, 3],
        [2, 4],
      ],
      (g, a, b) => g.concat([a, b, a], -1),
    ),
  },
  Slice: {
    'of rows': one([5, 3], (g, x) => g.slice(x, 0, 1, 3)),
    'of columns': one([3, 5], (g, x) => g.slice(x, 1, 2, 5)),
    'of overlapping columns': one([3, 5], (g, x) => g.mul(g.slice(x, 1, 0, 3), g.slice(x, 1, 2, 5))),
  },

  ReduceSum: {
    'that keeps the axis': one([2, 3, 4], (g, x) => g.sum(x, [1])),
    'that drops two axes': one([2, 3, 4], (g, x) => g.sum(x, [0, 2], false)),
    'of everything': one([2, 3], (g, x) => g.sum(x, [0, 1], false)),
  },
  ReduceMean: {
    'that keeps the axis': one([2, 3, 4], (g, x) => g.mean(x, [1])),
    'that drops the last axis': one([2, 3, 4], (g, x) => g.mean(x, [-1], false)),
    'over two axes of different sizes': one([2, 3, 4], (g, x) => g.mean(x, [0, 2])),
  },
  Where: {
    'of a matrix and a row': two([[3, 4], [4]], (g, a, b) => g.where(yesNo(g, [1, 0, 1], [3, 1]), a, b)),
    'of a row and a matrix': two([[4], [3, 4]], (g, a, b) => g.where(yesNo(g, [1, 0, 1], [3, 1]), a, b)),
  },
  Gather: {
    'of rows, one of them twice': one([6, 4], (g, x) => g.gather(x, rows(g, [1, 3, 1, 5]))),
    'of a block of rows': one([6, 4], (g, x) => g.gather(x, rows(g, [1, 3, 1, 0], [2, 2]))),
    'of one row': one([3, 4], (g, x) => g.gather(x, rows(g, [1], []))),
    'of numbers': one([6], (g, x) => g.gather(x, rows(g, [5, 0]))),
  },
  LayerNormalization: {
    'with weight and bias': {
      shapes: [[3, 8], [8], [8]],
      build: (g, [x, w, b]) => g.layerNorm(x as Tensor, w as Tensor, b as Tensor, 1e-5),
    },
    'of a batch': {
      shapes: [[2, 3, 8], [8], [8]],
      build: (g, [x, w, b]) => g.layerNorm(x as Tensor, w as Tensor, b as Tensor, 1e-5),
    },
  },
};

/** What is no single operator, and what is fed in another size than the graph was built for. */
const BESIDES: Readonly<Record<string, Differentiated>> = {
  'tokens that are put into a grid': one([3, 4], (g, x) =>
    g.pad(x, { slots: rows(g, [0, 1, 3, 2, 3, 3]), places: rows(g, [0, 1, 3]) }),
  ),
  'tokens that are taken out of a grid': one([6, 4], (g, x) =>
    g.unpad(x, { slots: rows(g, [0, 1, 3, 2, 3, 3]), places: rows(g, [0, 1, 3]) }),
  ),
  'a bias over rows whose number is not known': {
    ...two([[3, 4], [4]], (g, x, b) => g.add(x, b)),
    named: [['n', 4], [4]],
  },
  'rows that are picked out of a matrix of unknown size': {
    ...two(
      [
        [2, 3, 4],
        [4, 5],
      ],
      (g, a, b) => g.matmul(a, b),
    ),
    named: [
      ['lists', 'list', 'n'],
      ['n', 5],
    ],
  },
  'a sum over rows whose number is not known': {
    ...one([3, 4], (g, x) => g.sum(x, [0], false)),
    named: [['n', 4]],
  },
  'heads of a batch of unknown size': {
    ...one([4, 6], (g, x) => {
      const heads = g.transpose(g.reshape(g.reshape(x, ['n', 2, 6]), ['n', 2, 3, 2]), [0, 2, 1, 3]);
      return g.softmax(g.matmul(heads, heads, { transB: true, alpha: 0.5 }));
    }),
    named: [['n · 2', 6]],
  },
  'a value that is used in three places': one([3, 3], (g, x) => g.add(g.mul(g.exp(x), x), g.matmul(x, x))),
};

test.each(Object.keys(BACKWARD))('the gradient of %s is compared with differences', (operator) => {
  expect(Object.keys(CASES[operator] ?? {})).not.toHaveLength(0);
});

for (const [operator, forms] of Object.entries(CASES)) {
  test.each(Object.entries(forms))(`the gradient of ${operator} %s is the slope`, async (_, form) => {
    expect(builds(operator, form), `the graph has the operator ${operator}`).toBe(true);
    for (const error of await gradientErrors(form)) expect(error).toBeLessThan(CLOSE);
  });
}

test.each(Object.entries(BESIDES))('the gradient of %s is the slope', async (_, form) => {
  for (const error of await gradientErrors(form)) expect(error).toBeLessThan(CLOSE);
});
