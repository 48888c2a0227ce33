/**
 * Builds an ONNX graph, operator by operator, and its gradients.
 *
 * 1. Shapes are known while building; a dimension may be a name. Whatever needs the number behind a name at run time reads
 *    it off an input, so one graph serves every batch and length.
 * 2. What depends on no parameter needs no gradient, and gets no backward pass.
 * 3. Every node that needs a gradient is one step of the tape, with the rule that takes its gradient backwards.
 */
import { Builder, type OpOptions } from './builder.ts';
import { walkBack } from './tape.ts';
import {
  axisOf,
  broadcast,
  type DataType,
  type Dim,
  type Shape,
  sameShape,
  shapeError,
  type Tensor,
} from './tensor.ts';

export interface MatmulOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
  readonly alpha?: number;
}
export interface GemmOptions extends MatmulOptions {
  /** Added to the product, in the same pass. */
  readonly plus?: Tensor | null;
}
/** Where the rows of tokens without padding stand in a grid with it, and the other way. */
export interface Packing {
  /** int64 [grid]: the token of each place of the grid, or the number of tokens for a place that holds none. */
  readonly slots: Tensor;
  /** int64 [tokens]: the place of each token in the grid. */
  readonly places: Tensor;
}
const MICROSOFT = { domain: 'com.microsoft' };

export class Graph extends Builder {
  /** The gradients of a sum-like loss; `seed` is the gradient of `loss` itself, 1 where it is left out. */
  gradients(loss: Tensor, of: readonly Tensor[], seed?: Tensor): Tensor[] {
    return walkBack(this, this.tape, loss, of, seed ?? this.scalar(1));
  }

  add(a: Tensor, b: Tensor | number): Tensor {
    return this.#pair('Add', a, b);
  }
  sub(a: Tensor, b: Tensor | number): Tensor {
    return this.#pair('Sub', a, b);
  }
  mul(a: Tensor, b: Tensor | number): Tensor {
    return this.#pair('Mul', a, b);
  }
  div(a: Tensor, b: Tensor | number): Tensor {
    return this.#pair('Div', a, b);
  }

  neg(x: Tensor): Tensor {
    return this.#each('Neg', x);
  }
  exp(x: Tensor): Tensor {
    return this.#each('Exp', x);
  }
  log(x: Tensor): Tensor {
    return this.#each('Log', x);
  }
  sqrt(x: Tensor): Tensor {
    return this.#each('Sqrt', x);
  }
  tanh(x: Tensor): Tensor {
    return this.#each('Tanh', x);
  }
  sigmoid(x: Tensor): Tensor {
    return this.#each('Sigmoid', x);
  }
  relu(x: Tensor): Tensor {
    return this.#each('Relu', x);
  }
  /** log(1 + eˣ), without overflow. */
  softplus(x: Tensor): Tensor {
    return this.#each('Softplus', x);
  }
  sign(x: Tensor): Tensor {
    return this.#each('Sign', this.stop(x));
  }
  erf(x: Tensor): Tensor {
    return this.#each('Erf', x);
  }
  gelu(x: Tensor): Tensor {
    return this.#each('Gelu', x, MICROSOFT);
  }
  softmax(x: Tensor): Tensor {
    return this.#each('Softmax', x, { attributes: { axis: { int: -1 } } });
  }
  logSoftmax(x: Tensor): Tensor {
    return this.#each('LogSoftmax', x, { attributes: { axis: { int: -1 } } });
  }

  matmul(a: Tensor, b: Tensor, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}): Tensor {
    const shape = [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), ...productOf(a, b, transA, transB)];
    if (!transA && !transB && alpha === 1) return only(this.op('MatMul', [a, b], [shape]));
    const attributes = { transA: { int: +transA }, transB: { int: +transB }, alpha: { float: alpha } };
    return only(this.op('FusedMatMul', [a, b], [shape], { ...MICROSOFT, attributes }));
  }

  /** alpha · a · b + plus, of matrices, in one pass. */
  gemm(a: Tensor, b: Tensor, { transA = false, transB = false, alpha = 1, plus = null }: GemmOptions = {}): Tensor {
    const shape = productOf(a, b, transA, transB);
    const attributes = { transA: { int: +transA }, transB: { int: +transB }, alpha: { float: alpha } };
    return only(this.op('Gemm', plus ? [a, b, plus] : [a, b], [shape], { attributes }));
  }

  /** x [rows, in] through a weight [out, in], as model files keep them; `bias` may be any tensor that is to be added. */
  linear(x: Tensor, weight: Tensor, bias: Tensor | null, alpha = 1): Tensor {
    return this.gemm(x, weight, { transB: true, alpha, plus: bias });
  }

  transpose(x: Tensor, perm: readonly number[]): Tensor {
    const shape = perm.map((axis) => x.shape[axis] as Dim);
    return only(this.op('Transpose', [x], [shape], { attributes: { perm: { ints: perm } } }));
  }

  reshape(x: Tensor, shape: Shape): Tensor {
    return sameShape(x.shape, shape)
      ? x
      : only(this.op('Reshape', [x, this.#sizesFor(x, shape)], [shape], { type: x.type }));
  }

  unsqueeze(x: Tensor, axes: readonly number[]): Tensor {
    const rank = x.shape.length + axes.length;
    const added = axes.map((axis) => (axis < 0 ? axis + rank : axis));
    const left = [...x.shape];
    const shape = Array.from({ length: rank }, (_, i) => (added.includes(i) ? 1 : (left.shift() as Dim)));
    return only(this.op('Unsqueeze', [x, this.ints(added)], [shape], { type: x.type }));
  }

  concat(xs: readonly Tensor[], axis: number, dim?: Dim): Tensor {
    const first = xs[0] as Tensor;
    const at = axisOf(axis, first.shape);
    const along = xs.map(({ shape }) => shape[at] as Dim);
    const sum = along.every((size) => typeof size === 'number')
      ? along.reduce((a, b) => Number(a) + Number(b), 0)
      : dim;
    const shape = first.shape.with(at, sum ?? along.join(' + '));
    return only(this.op('Concat', xs, [shape], { attributes: { axis: { int: at } }, type: first.type }));
  }

  /** Rows, columns, … from `start` up to `end`, which are numbers or int64 tensors of one element. */
  slice(x: Tensor, axis: number, start: Tensor | number, end: Tensor | number, dim?: Dim): Tensor {
    const at = axisOf(axis, x.shape);
    const size = typeof start === 'number' && typeof end === 'number' ? end - start : dim;
    const position = (where: Tensor | number) => (typeof where === 'number' ? this.ints([where]) : where);
    const [from, to] = [position(start), position(end)];
    const shape = x.shape.with(at, size ?? `${x.shape[at]} from ${from.name} to ${to.name}`);
    return only(this.op('Slice', [x, from, to, this.ints([at])], [shape], { type: x.type }));
  }

  squeeze(x: Tensor, axes: readonly number[]): Tensor {
    const gone = axes.map((axis) => axisOf(axis, x.shape));
    const shape = x.shape.filter((_, i) => !gone.includes(i));
    return only(this.op('Squeeze', [x, this.ints(gone)], [shape], { type: x.type }));
  }

  /** Repeats x along axes of size 1, to the shape of another. */
  expandLike(x: Tensor, like: Tensor): Tensor {
    return sameShape(x.shape, like.shape) ? x : only(this.op('Expand', [x, this.shapeOf(like)], [like.shape]));
  }

  sum(x: Tensor, axes: readonly number[], keep = true): Tensor {
    return this.#reduce('ReduceSum', x, axes, keep);
  }
  /** Over axes of known size; over others, divide a sum by what is counted at run time. */
  mean(x: Tensor, axes: readonly number[], keep = true): Tensor {
    return this.#reduce('ReduceMean', x, axes, keep);
  }
  /** Without a gradient. */
  max(x: Tensor, axes: readonly number[], keep = true): Tensor {
    return this.#reduce('ReduceMax', this.stop(x), axes, keep);
  }

  /** Rows of a table; with a gradient along its first axis only. */
  gather(table: Tensor, indices: Tensor, axis = 0): Tensor {
    const shape = [...table.shape.slice(0, axis), ...indices.shape, ...table.shape.slice(axis + 1)];
    return only(
      this.op('Gather', [table, indices], [shape], { attributes: { axis: { int: axis } }, type: table.type }),
    );
  }

  where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
    const shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
    return only(this.op('Where', [condition, a, b], [shape]));
  }

  cast(x: Tensor, type: DataType): Tensor {
    if (x.type === type) return x;
    const to = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7, bool: 9 }[type];
    return only(this.op('Cast', [this.stop(x)], [x.shape], { attributes: { to: { int: to } }, type }));
  }

  layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
    const attributes = { axis: { int: -1 }, epsilon: { float: epsilon } };
    const rows = x.shape.with(-1, 1);
    const inputs = [x, weight, bias];
    // Mean and inverse deviation are what its backward rule needs; without a gradient they would hinder fusions.
    const shapes = inputs.some((input) => input.needsGradient) ? [x.shape, rows, rows] : [x.shape];
    return this.op('LayerNormalization', inputs, shapes, { attributes })[0] as Tensor;
  }

  /** Tokens [tokens, h] into a grid [grid, h], zero where it holds none. */
  pad(tokens: Tensor, packing: Packing): Tensor {
    const width = tokens.shape[1] as number;
    return this.custom(
      tokens,
      (x) => {
        const zeros = this.once(`zeros ${width}`, () => this.constant([1, width], new Float32Array(width)));
        return this.gather(this.concat([x, zeros], 0, `${x.shape[0]} + 1`), packing.slots);
      },
      (g, _, [dy]) => [g.unpad(dy, packing)],
    );
  }

  /** The tokens of a grid; `pad` the other way round. */
  unpad(grid: Tensor, packing: Packing): Tensor {
    return this.custom(
      grid,
      (x) => this.gather(x, packing.places),
      (g, _, [dy]) => [g.pad(dy, packing)],
    );
  }

  /** The sizes of a tensor, at run time. */
  shapeOf(x: Tensor): Tensor {
    return only(this.op('Shape', [this.stop(x)], [[x.shape.length]], { type: 'int64' }));
  }

  #pair(op: string, a: Tensor, b: Tensor | number): Tensor {
    const other = typeof b === 'number' ? this.scalar(b) : b;
    return only(this.op(op, [a, other], [broadcast(a.shape, other.shape)]));
  }

  #each(op: string, x: Tensor, options: OpOptions = {}): Tensor {
    return only(this.op(op, [x], [x.shape], options));
  }

  #reduce(op: string, x: Tensor, axes: readonly number[], keep: boolean): Tensor {
    const over = axes.map((axis) => axisOf(axis, x.shape));
    const shape = x.shape.map((dim, i) => (over.includes(i) ? 1 : dim));
    const reduced = only(this.op(op, [x, this.ints(over)], [shape], { attributes: { keepdims: { int: 1 } } }));
    return keep ? reduced : this.squeeze(reduced, over);
  }

  /** At most one size may be left for the operator to work out; the others are numbers, or read off an input. */
  #sizesFor(x: Tensor, shape: Shape): Tensor {
    const unknown = shape.filter((dim, i) => typeof dim === 'string' && x.shape[i] !== dim && !this.isReadable(dim));
    if (unknown.length > 1) throw shapeError(`[${x.shape}] cannot become [${shape}]: ${unknown} are not known`);
    if (shape.every((dim) => typeof dim === 'number')) return this.ints(shape as number[]);
    const sizes = shape.map((dim, i) => {
      if (typeof dim === 'number') return dim;
      if (x.shape[i] === dim) return 0; // as it is
      return this.isReadable(dim) ? dim : -1;
    });
    const named = sizes.filter((size) => typeof size === 'string');
    if (named.length === 0) return this.ints(sizes as number[]);
    if (named.length === 1 && !sizes.includes(-1))
      return this.ints(sizes.map((size) => (typeof size === 'string' ? -1 : size)));
    return this.concat(
      sizes.map((size) => this.sizeOf(size)),
      0,
    );
  }
}

const only = (outputs: readonly Tensor[]): Tensor => outputs[0] as Tensor;

const productOf = (a: Tensor, b: Tensor, transA: boolean, transB: boolean): Dim[] => {
  const [rows, inner] = ends(a.shape, transA);
  const [same, columns] = ends(b.shape, transB);
  if (inner !== same) throw shapeError(`[${a.shape}] × [${b.shape}] do not go together`);
  return [rows, columns];
};
const ends = (shape: Shape, transposed: boolean): readonly [Dim, Dim] => {
  const [rows, columns] = shape.slice(-2) as [Dim, Dim];
  return transposed ? [columns, rows] : [rows, columns];
};
