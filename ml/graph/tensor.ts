/** What a graph is made of: tensors, which have a name, a shape and a type, but no numbers; and nodes between them. */
import { PawlError } from '../../contracts/failures.ts';

/** A string is a dimension that is known at run time only, such as `tokens`. The same string is the same size. */
export type Dim = number | string;
export type Shape = readonly Dim[];
export type DataType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool';

export interface Tensor {
  readonly name: string;
  readonly shape: Shape;
  readonly type: DataType;
  /** Depends on a parameter. What does not gets no backward pass. */
  readonly needsGradient: boolean;
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  /** '' is ONNX itself; `com.microsoft` are ONNX Runtime's own operators. */
  readonly domain: string;
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
}

/** Numbers that are part of the graph: in the file itself, or in another file beside it. */
export interface Constant {
  readonly tensor: Tensor;
  readonly data: Uint8Array | FilePart;
}
export interface FilePart {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((dim, i) => dim === b[i]);

/** The shape of two tensors combined element by element, or an error. */
export const broadcast = (a: Shape, b: Shape): Shape => {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1];
    if (x === y || y === 1) return x;
    if (x === 1) return y;
    throw shapeError(`[${a}] and [${b}] do not go together`);
  });
};

/** An axis counted from the end, as a position. */
export const axisOf = (axis: number, { length }: Shape): number => (axis < 0 ? axis + length : axis);

export const shapeError = (what: string): PawlError => new PawlError('Internal', `A graph was built wrongly: ${what}.`);
