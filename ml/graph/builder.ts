/** The parts of a graph while it is built: inputs, constants, nodes, and the tape that gradients are walked back on. */
import { BACKWARD, type Rule } from './backward.ts';
import { onnxModel } from './onnx.ts';
import {
  type Attributes,
  type Constant,
  type DataType,
  type Dim,
  type FilePart,
  type Node,
  type Shape,
  shapeError,
  type Tensor,
} from './tensor.ts';

/** A node that needs a gradient, with the rule that takes its gradient backwards. */
export interface Step {
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly rule: Rule;
}
export interface OpOptions {
  readonly attributes?: Attributes;
  readonly type?: DataType;
  readonly domain?: string;
}
export type NumberArray = Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array;

export class Builder {
  readonly params: Tensor[] = [];
  readonly #inputs: Tensor[] = [];
  readonly #outputs: Tensor[] = [];
  readonly #nodes: Node[] = [];
  readonly #constants: Constant[] = [];
  protected readonly tape: Step[] = [];
  /** Constants and run-time sizes that were made already, so that each is made once. */
  readonly #made = new Map<string, Tensor>();
  /** An input, and its axis, that a named dimension can be read off. */
  readonly #sizes = new Map<string, { readonly input: Tensor; readonly axis: number }>();
  readonly #ints = new Map<string, readonly number[]>();
  readonly #taken = new Set<string>();
  #names = 0;

  input(name: string, shape: Shape, type: DataType = 'float32'): Tensor {
    return this.#input({ name, shape, type, needsGradient: false });
  }

  /** An input that gets a gradient. */
  param(name: string, shape: Shape): Tensor {
    const param = this.#input({ name, shape, type: 'float32', needsGradient: true });
    this.params.push(param);
    return param;
  }

  constant(shape: readonly number[], data: NumberArray, type: DataType = 'float32', name = this.#name()): Tensor {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return this.#constant({ name, shape, type, needsGradient: false }, bytes);
  }

  /** Frozen numbers that stay in the file where they lie, which is named relative to the graph's own. */
  external(name: string, shape: readonly number[], at: FilePart, type: DataType = 'float32'): Tensor {
    return this.#constant({ name, shape, type, needsGradient: false }, at);
  }

  scalar(value: number): Tensor {
    return this.once(`scalar ${value}`, () => this.constant([], new Float32Array([value])));
  }

  ints(values: readonly number[]): Tensor {
    return this.once(`ints ${values}`, () => {
      const tensor = this.constant([values.length], BigInt64Array.from(values, BigInt), 'int64');
      this.#ints.set(tensor.name, values);
      return tensor;
    });
  }

  /** What `ints` made a tensor of. */
  valuesOf(ints: Tensor): readonly number[] {
    const values = this.#ints.get(ints.name);
    if (!values) throw shapeError(`${ints.name} is not a constant`);
    return values;
  }

  /** Any operator, with the shapes of its outputs. */
  op(name: string, inputs: readonly (Tensor | null)[], shapes: readonly Shape[], options: OpOptions = {}): Tensor[] {
    const { attributes = {}, type = 'float32', domain = '' } = options;
    const needsGradient = type === 'float32' && inputs.some((input) => input?.needsGradient);
    const outputs = shapes.map((shape) => ({ name: this.#name(), shape, type, needsGradient }));
    this.#nodes.push({ op: name, domain, inputs, outputs, attributes });
    if (needsGradient) {
      const rule = BACKWARD[name];
      if (!rule) throw shapeError(`${name} has no backward rule; stop the gradient before it`);
      this.tape.push({ inputs, outputs, attributes, rule });
    }
    return outputs;
  }

  /** What no single operator can do: built of others without a gradient, with a rule of its own. */
  custom(input: Tensor, build: (input: Tensor) => Tensor, rule: Rule): Tensor {
    const built = build(this.stop(input));
    if (!input.needsGradient) return built;
    const output = { ...built, needsGradient: true };
    this.tape.push({ inputs: [input], outputs: [output], attributes: {}, rule });
    return output;
  }

  output(name: string, x: Tensor): void {
    const renamed = { ...x, name };
    this.#nodes.push({ op: 'Identity', domain: '', inputs: [x], outputs: [renamed], attributes: {} });
    this.#outputs.push(renamed);
  }

  /** The ONNX file, without what no output depends on. */
  toModel(): Uint8Array {
    return onnxModel({
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes,
      constants: this.#constants,
    });
  }

  /** The same tensor, through which no gradient flows. */
  stop(x: Tensor): Tensor {
    return { ...x, needsGradient: false };
  }

  /** The size of one dimension, as int64 [1]. */
  sizeOf(dim: Dim): Tensor {
    if (typeof dim === 'number') return this.ints([dim]);
    const known = this.#sizes.get(dim);
    if (!known) throw shapeError(`no input has the dimension "${dim}"`);
    return this.once(`size ${dim}`, () => {
      const attributes = { start: { int: known.axis }, end: { int: known.axis + 1 } };
      return only(this.op('Shape', [this.stop(known.input)], [[1]], { attributes, type: 'int64' }));
    });
  }

  /** The size of one axis of a tensor, as int64 [1]. */
  sizeAlong(x: Tensor, axis: number): Tensor {
    const dim = x.shape[axis] as Dim;
    if (typeof dim === 'number' || this.#sizes.has(dim)) return this.sizeOf(dim);
    const attributes = { start: { int: axis }, end: { int: axis + 1 } };
    return only(this.op('Shape', [this.stop(x)], [[1]], { attributes, type: 'int64' }));
  }

  /** Whether the size of a dimension can be read off an input. */
  protected isReadable(dim: Dim): boolean {
    return typeof dim === 'number' || this.#sizes.has(dim);
  }

  #input(input: Tensor): Tensor {
    this.#inputs.push(this.#unique(input));
    for (const [axis, dim] of input.shape.entries()) {
      if (typeof dim === 'string' && !this.#sizes.has(dim)) this.#sizes.set(dim, { input, axis });
    }
    return input;
  }

  #constant(tensor: Tensor, data: Uint8Array | FilePart): Tensor {
    this.#constants.push({ tensor: this.#unique(tensor), data });
    return tensor;
  }

  #unique(tensor: Tensor): Tensor {
    if (this.#taken.has(tensor.name)) throw shapeError(`two tensors are called ${tensor.name}`);
    this.#taken.add(tensor.name);
    return tensor;
  }

  /** What is the same wherever it is needed is made once. */
  protected once(key: string, make: () => Tensor): Tensor {
    const made = this.#made.get(key) ?? make();
    this.#made.set(key, made);
    return made;
  }

  #name(): string {
    return `v${this.#names++}`;
  }
}

const only = (outputs: readonly Tensor[]): Tensor => outputs[0] as Tensor;
