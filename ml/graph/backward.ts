/**
 * The gradient table: for each operator, how the gradient of its output becomes those of its inputs.
 *
 * A rule may return a gradient in the shape of the output: what was broadcast is summed by the walker. A function as
 * gradient is told what was collected for its input already, and adds to it in the same pass; its shape is the input's.
 * Every rule is held against finite differences in test/ml/graph.
 */
import type { Graph } from './graph.ts';
import { type Attributes, type Dim, sameShape, type Tensor } from './tensor.ts';

export type Gradient = Tensor | ((before: Tensor | null) => Tensor);
/** As many as the operator has: a rule knows how many there are. */
type Some = readonly [Tensor, Tensor, Tensor, Tensor];
export interface BackwardStep {
  /** With whether they need a gradient. */
  readonly inputs: Some;
  /** The same, as values of the forward pass. */
  readonly values: Some;
  readonly outputs: Some;
  readonly attributes: Attributes;
}
export type Rule = (graph: Graph, step: BackwardStep, gradients: readonly [Tensor]) => readonly (Gradient | null)[];

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);
const ROOT_HALF = Math.SQRT1_2;

export const BACKWARD: Readonly<Record<string, Rule>> = {
  Add: (_, __, [dy]) => [dy, dy],
  Sub: (g, { inputs: [, b] }, [dy]) => [dy, b.needsGradient ? g.neg(dy) : null],
  Mul: (g, { inputs: [x, y], values: [a, b] }, [dy]) => [
    x.needsGradient ? g.mul(dy, b) : null,
    y.needsGradient ? g.mul(dy, a) : null,
  ],
  Div: (g, { inputs: [, divisor], values: [, b], outputs: [y] }, [dy]) => {
    const da = g.div(dy, b);
    return [da, divisor.needsGradient ? g.neg(g.mul(da, y)) : null];
  },
  Neg: (g, _, [dy]) => [g.neg(dy)],
  Exp: (g, { outputs: [y] }, [dy]) => [g.mul(dy, y)],
  Log: (g, { values: [x] }, [dy]) => [g.div(dy, x)],
  Sqrt: (g, { outputs: [y] }, [dy]) => [g.div(g.mul(dy, 0.5), y)],
  Tanh: (g, { outputs: [y] }, [dy]) => [g.mul(dy, g.sub(g.scalar(1), g.mul(y, y)))],
  Sigmoid: (g, { outputs: [y] }, [dy]) => [g.mul(dy, g.mul(y, g.sub(g.scalar(1), y)))],
  Relu: (g, { outputs: [y] }, [dy]) => [g.mul(dy, g.sign(y))],
  Softplus: (g, { values: [x] }, [dy]) => [g.mul(dy, g.sigmoid(x))],
  Erf: (g, { values: [x] }, [dy]) => [g.mul(dy, g.mul(g.exp(g.neg(g.mul(x, x))), TWO_OVER_ROOT_PI))],
  Gelu: (g, { values: [x] }, [dy]) => [g.mul(dy, geluSlope(g, x))],
  Softmax: (g, { outputs: [y] }, [dy]) => {
    const p = g.mul(dy, y);
    return [g.sub(p, g.mul(y, g.sum(p, [-1])))];
  },
  LogSoftmax: (g, { outputs: [y] }, [dy]) => [g.sub(dy, g.mul(g.exp(y), g.sum(dy, [-1])))],

  MatMul: (g, step, [dy]) => product(g, step, dy, { transA: false, transB: false, alpha: 1 }),
  FusedMatMul: (g, step, [dy]) => product(g, step, dy, productAttributes(step.attributes)),
  Gemm: (g, step, [dy]) => [...product(g, step, dy, productAttributes(step.attributes)), dy],

  Identity: (_, __, [dy]) => [dy],
  Reshape: (g, { values: [x] }, [dy]) => [reshapedLike(g, dy, x)],
  Transpose: (g, { attributes: { perm } }, [dy]) => {
    const ints = perm && 'ints' in perm ? perm.ints : [];
    return [
      g.transpose(
        dy,
        ints.map((_, axis) => ints.indexOf(axis)),
      ),
    ];
  },
  Unsqueeze: (g, { values: [, axes] }, [dy]) => [g.squeeze(dy, g.valuesOf(axes))],
  Squeeze: (g, { values: [, axes] }, [dy]) => [g.unsqueeze(dy, g.valuesOf(axes))],
  Expand: (_, __, [dy]) => [dy],
  Concat: (g, { values, attributes: { axis } }, [dy]) => {
    const at = axis && 'int' in axis ? axis.int : 0;
    const sizes = g.concat(
      values.map((x) => g.sizeAlong(x, at)),
      0,
    );
    return g.op(
      'Split',
      [dy, sizes],
      values.map(({ shape }) => shape),
      { attributes: { axis: { int: at } } },
    );
  },
  Slice: (g, { values: [x, start, end, axes] }, [dy]) => {
    const size = g.sizeAlong(x, g.valuesOf(axes)[0] as number);
    const after = g.op('Sub', [size, end], [[1]], { type: 'int64' })[0] as Tensor;
    return g.op('Pad', [dy, g.concat([start, after], 0), null, axes], [x.shape]);
  },

  ReduceSum: (g, { values: [x] }, [dy]) => [g.expandLike(dy, x)],
  ReduceMean: (g, { values: [x, axes] }, [dy]) => {
    const count = g.valuesOf(axes).reduce((product, axis) => product * (x.shape[axis] as number), 1);
    return [g.expandLike(g.mul(dy, 1 / count), x)];
  },

  Where: (g, { inputs: [, x, y], values: [condition] }, [dy]) => [
    null,
    x.needsGradient ? g.where(condition, dy, g.scalar(0)) : null,
    y.needsGradient ? g.where(condition, g.scalar(0), dy) : null,
  ],
  /** A row that was taken twice gets both gradients. */
  Gather: (g, { values: [table, indices] }, [dy]) => {
    const rest = table.shape.slice(1);
    const rows = g.op('Reshape', [indices, g.ints([-1, 1])], [['rows', 1]], { type: 'int64' })[0] as Tensor;
    const taken = g.op(
      'Reshape',
      [dy, g.concat([g.ints([-1]), ...rest.map((_, i) => g.sizeAlong(table, i + 1))], 0)],
      [['rows', ...rest]],
    );
    const zeros = g.op('ConstantOfShape', [g.shapeOf(table)], [table.shape]);
    return g.op('ScatterND', [zeros[0] as Tensor, rows, taken[0] as Tensor], [table.shape], {
      attributes: { reduction: { text: 'add' } },
    });
  },
  LayerNormalization: (g, { inputs: [x, w, b], values: [value, weight], outputs: [, mean, inverse] }, [dy]) => {
    const normal = g.mul(g.sub(value, mean), inverse);
    const toNormal = g.mul(dy, weight);
    const dx = () =>
      g.mul(
        g.sub(g.sub(toNormal, g.mean(toNormal, [-1])), g.mul(normal, g.mean(g.mul(toNormal, normal), [-1]))),
        inverse,
      );
    return [x.needsGradient ? dx() : null, w.needsGradient ? g.mul(dy, normal) : null, b.needsGradient ? dy : null];
  },
};

/** Φ(x) + x·φ(x) = ½ · (1 + erf(u) + 2/√π · u · exp(−u²)), with u = x/√2. */
const geluSlope = (g: Graph, x: Tensor): Tensor => {
  const u = g.mul(x, ROOT_HALF);
  const density = g.mul(g.mul(g.exp(g.neg(g.mul(u, u))), u), TWO_OVER_ROOT_PI);
  return g.mul(g.add(g.add(g.erf(u), density), 1), 0.5);
};

interface ProductAttributes {
  readonly transA: boolean;
  readonly transB: boolean;
  readonly alpha: number;
}
const productAttributes = ({ transA, transB, alpha }: Attributes): ProductAttributes => ({
  transA: !!transA && 'int' in transA && transA.int === 1,
  transB: !!transB && 'int' in transB && transB.int === 1,
  alpha: alpha && 'float' in alpha ? alpha.float : 1,
});

/** y = alpha · A · B, with A and B the inputs or their transposes. */
const product = (
  g: Graph,
  { inputs: [forA, forB], values: [a, b] }: BackwardStep,
  dy: Tensor,
  { transA, transB, alpha }: ProductAttributes,
): (Gradient | null)[] => {
  const times = (x: Tensor, y: Tensor, tx: boolean, ty: boolean, to: Tensor): Gradient => {
    const options = { transA: tx, transB: ty, alpha };
    // A matrix is added to what is there already by the product itself.
    const isMatrix = [x, y, to].every(({ shape }) => shape.length === 2);
    return isMatrix ? (before) => g.gemm(x, y, { ...options, plus: before }) : g.matmul(x, y, options);
  };
  const toA = () => (transA ? times(b, dy, transB, true, a) : times(dy, b, false, !transB, a));
  const toB = (): Gradient => {
    // One large product over all rows of a batch, instead of one for each and a sum of them.
    if (b.shape.length === 2 && a.shape.length > 2 && !transA) {
      const [x, d] = [flat(g, a), flat(g, dy)];
      return transB ? times(d, x, true, false, b) : times(x, d, true, false, b);
    }
    return transB ? times(dy, a, true, transA, b) : times(a, dy, !transA, false, b);
  };
  return [forA.needsGradient ? toA() : null, forB.needsGradient ? toB() : null];
};

const flat = (g: Graph, x: Tensor): Tensor => {
  const width = x.shape.at(-1) as Dim;
  const sizes = typeof width === 'number' ? g.ints([-1, width]) : g.concat([g.ints([-1]), g.sizeOf(width)], 0);
  return g.op('Reshape', [x, sizes], [['rows', width]])[0] as Tensor;
};

const reshapedLike = (g: Graph, dy: Tensor, x: Tensor): Tensor =>
  sameShape(dy.shape, x.shape) ? dy : (g.op('Reshape', [dy, g.shapeOf(x)], [x.shape])[0] as Tensor);
