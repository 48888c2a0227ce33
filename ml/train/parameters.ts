/** All trained numbers in one array after one another, so that optimiser, norm and checkpoint are plain loops over it. */
import type { Feeds } from '../session/session.ts';

export interface NamedShape {
  readonly name: string;
  readonly shape: readonly number[];
}
interface Part extends NamedShape {
  readonly from: number;
  readonly to: number;
}

export class Layout {
  readonly parts: readonly Part[];
  readonly size: number;

  constructor(shapes: readonly NamedShape[]) {
    let at = 0;
    this.parts = shapes.map(({ name, shape }) => {
      const from = at;
      at += sizeOf(shape);
      return { name, shape, from, to: at };
    });
    this.size = at;
  }

  /** Windows on the array, by name. */
  views(flat: Float32Array): Record<string, Float32Array> {
    return Object.fromEntries(this.parts.map(({ name, from, to }) => [name, flat.subarray(from, to)]));
  }

  feeds(flat: Float32Array): Feeds {
    return Object.fromEntries(
      this.parts.map(({ name, shape, from, to }) => [name, { type: 'float32', shape, data: flat.subarray(from, to) }]),
    );
  }

  /** Windows with their shapes, under a prefix. */
  tensors(flat: Float32Array, prefix = ''): Record<string, { shape: readonly number[]; data: Float32Array }> {
    return Object.fromEntries(
      this.parts.map(({ name, shape, from, to }) => [prefix + name, { shape, data: flat.subarray(from, to) }]),
    );
  }

  /** Fills the array; the name of the first tensor that is missing or has another size is returned, null where none is. */
  fill(flat: Float32Array, tensorNamed: (name: string) => Float32Array | undefined): string | null {
    for (const { name, from, to } of this.parts) {
      const data = tensorNamed(name);
      if (data?.length !== to - from) return name;
      flat.set(data, from);
    }
    return null;
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
