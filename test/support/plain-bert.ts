/**
 * BERT once more, written down from its paper in plain loops and double precision, one text at a time: slow, and sharing
 * nothing with the graphs that are held against it.
 */
import { join } from 'node:path';
import { openSafetensors, readFloats } from '../../ml/safetensors/read.ts';

interface Sizes {
  readonly layers: number;
  readonly heads: number;
  readonly pooling: 'mean' | 'cls';
  readonly normalise: boolean;
  readonly activation: (x: number) => number;
}
type Rows = number[][];

export const relu = (x: number): number => Math.max(0, x);
export const geluByTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
/** By the series of erf, which is exact enough for what a tiny model holds. */
export const gelu = (x: number): number => {
  const z = x / Math.SQRT2;
  if (Math.abs(z) > 5) return z > 0 ? x : 0;
  let [term, sum] = [z, z];
  for (let n = 1; n < 200; n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return 0.5 * x * (1 + (2 / Math.sqrt(Math.PI)) * sum);
};

export function plainEmbedding(folder: string, ids: readonly number[], sizes: Sizes): number[] {
  const { tensors } = openSafetensors(join(folder, 'model.safetensors'));
  const tensor = (name: string) => {
    const stored = tensors.get(name);
    if (!stored) throw new Error(`no ${name}`);
    return { width: stored.shape.at(-1) as number, data: readFloats(stored) };
  };
  const row = (name: string, at: number) => {
    const { width, data } = tensor(name);
    return [...data.slice(at * width, (at + 1) * width)];
  };
  const linear = (x: Rows, name: string): Rows => {
    const { width, data } = tensor(`${name}.weight`);
    const bias = tensor(`${name}.bias`).data;
    return x.map((values) =>
      [...bias].map((start, o) =>
        values.reduce((sum, value, i) => sum + value * (data[o * width + i] as number), start),
      ),
    );
  };
  const norm = (x: Rows, name: string): Rows => {
    const [weight, bias] = [row(`${name}.weight`, 0), row(`${name}.bias`, 0)];
    return x.map((values) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return values.map(
        (v, i) => ((v - mean) / Math.sqrt(variance + 1e-12)) * (weight[i] as number) + (bias[i] as number),
      );
    });
  };
  const plus = (a: Rows, b: Rows): Rows => a.map((values, t) => values.map((v, i) => v + (b[t]?.[i] as number)));
  const attention = (x: Rows, name: string): Rows => {
    const [q, k, v] = ['query', 'key', 'value'].map((part) => linear(x, `${name}.${part}`)) as [Rows, Rows, Rows];
    const size = (q[0] as number[]).length / sizes.heads;
    return q.map((query) =>
      query.map((_, i) => {
        const head = Math.floor(i / size) * size;
        const scores = k.map((key) => {
          let dot = 0;
          for (let j = head; j < head + size; j++) dot += (query[j] as number) * (key[j] as number);
          return Math.exp(dot / Math.sqrt(size));
        });
        const total = scores.reduce((a, b) => a + b);
        return v.reduce((sum, value, t) => sum + ((scores[t] as number) / total) * (value[i] as number), 0);
      }),
    );
  };

  const embedded = ids.map((id, position) => {
    const rows = [
      row('embeddings.word_embeddings.weight', id),
      row('embeddings.position_embeddings.weight', position),
      row('embeddings.token_type_embeddings.weight', 0),
    ];
    return (rows[0] as number[]).map((_, i) => rows.reduce((sum, values) => sum + (values[i] as number), 0));
  });
  let x = norm(embedded, 'embeddings.LayerNorm');
  for (let n = 0; n < sizes.layers; n++) {
    const at = `encoder.layer.${n}`;
    const seen = linear(attention(x, `${at}.attention.self`), `${at}.attention.output.dense`);
    x = norm(plus(seen, x), `${at}.attention.output.LayerNorm`);
    const wide = linear(x, `${at}.intermediate.dense`).map((values) => values.map(sizes.activation));
    x = norm(plus(linear(wide, `${at}.output.dense`), x), `${at}.output.LayerNorm`);
  }
  const first = x[0] as number[];
  const vector =
    sizes.pooling === 'cls' ? first : first.map((_, i) => x.reduce((s, t) => s + (t[i] as number), 0) / x.length);
  const length = Math.hypot(...vector);
  return sizes.normalise ? vector.map((value) => value / length) : vector;
}
