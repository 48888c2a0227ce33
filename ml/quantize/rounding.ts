/** A weight matrix [outputs, inputs] as small whole numbers and scales, laid out as ONNX Runtime's operators take them. */

export interface Rounded<Values extends Int8Array | Uint8Array> {
  readonly values: Values;
  readonly shape: readonly number[];
  readonly scales: Float32Array;
}

const LARGEST = 127;

/** DynamicQuantizeMatMul: int8 [inputs, outputs], symmetric, a scale for each output. */
export function roundChannels(weights: Float32Array, outputs: number, inputs: number): Rounded<Int8Array> {
  const values = new Int8Array(inputs * outputs);
  const scales = new Float32Array(outputs);
  for (let output = 0; output < outputs; output++) {
    const row = weights.subarray(output * inputs, (output + 1) * inputs);
    const scale = Math.fround(largest(row) / LARGEST) || 1;
    scales[output] = scale;
    for (let input = 0; input < inputs; input++) {
      values[input * outputs + output] = Math.round((row[input] as number) / scale);
    }
  }
  return { values, shape: [inputs, outputs], scales };
}

/** MatMulNBits: [outputs, blocks, bytes], whole numbers from 0 with the middle for zero, a scale for each block. */
export function roundBlocks(
  weights: Float32Array,
  outputs: number,
  inputs: number,
  { bits, block }: { readonly bits: 4 | 8; readonly block: number },
): Rounded<Uint8Array> {
  const blocks = Math.ceil(inputs / block);
  const bytes = (block * bits) / 8;
  const middle = 2 ** (bits - 1);
  const values = new Uint8Array(outputs * blocks * bytes);
  const scales = new Float32Array(outputs * blocks);
  for (let output = 0; output < outputs; output++) {
    for (let n = 0; n < blocks; n++) {
      const part = weights.subarray(output * inputs + n * block, output * inputs + Math.min((n + 1) * block, inputs));
      const at = output * blocks + n;
      // There is one step more below the middle than above: the weight that is farthest from zero takes it.
      const scale = Math.fround(farthest(part) / -middle) || 1;
      scales[at] = scale;
      for (let k = 0; k < block; k++) {
        const value = Math.round((part[k] ?? 0) / scale) + middle;
        const code = Math.min(2 * middle - 1, Math.max(0, value));
        if (bits === 8) values[at * bytes + k] = code;
        else values[at * bytes + (k >> 1)] = (values[at * bytes + (k >> 1)] as number) | (code << (4 * (k & 1)));
      }
    }
  }
  return { values, shape: [outputs, blocks, bytes], scales };
}

const largest = (values: Float32Array): number => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
const farthest = (values: Float32Array): number =>
  values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
