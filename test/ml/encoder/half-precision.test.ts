import { cpSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { mergedWeights } from '../../../ml/lora/merge.ts';
import { readFloats } from '../../../ml/safetensors/read.ts';
import { changeTensors, storeHalf, tinyFolder, weightsOf } from '../../support/model-folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { tinyTrainer } from '../../support/training.ts';
import { furthest, run, trainedAdapter } from '../lora/running.ts';

/** The widest step between two neighbours, for numbers up to 1: what rounding moves a number by is half of that. */
const FORMATS = [
  { dtype: 'F16', step: 2 ** -11 },
  { dtype: 'BF16', step: 2 ** -8 },
] as const;

const copyOf = (folder: string): string => {
  const copy = temporaryFolder();
  cpSync(folder, copy, { recursive: true });
  return copy;
};

describe.each(FORMATS)('a base whose weights are stored as $dtype', ({ dtype, step }) => {
  const scene = () => {
    const original = tinyFolder();
    const half = copyOf(original);
    storeHalf(half, dtype);
    // The same numbers as single floats.
    const twin = copyOf(original);
    const { tensors } = openEncoder(half).weights;
    changeTensors(weightsOf(twin), (singles) =>
      Object.fromEntries(
        Object.entries(singles).map(([name, tensor]) => {
          const stored = tensors.get(name);
          return [name, { ...tensor, data: stored ? readFloats(stored) : tensor.data }];
        }),
      ),
    );
    return { original, half, twin };
  };

  test('has numbers that are those of its original, but for the rounding', () => {
    const { original, half } = scene();
    const before = openEncoder(original).tensors;
    let furthestOff = 0;
    for (const [name, stored] of openEncoder(half).tensors) {
      expect(stored.dtype).toBe(dtype);
      const exact = readFloats(before.get(name) as typeof stored);
      for (const [at, value] of readFloats(stored).entries()) {
        const off = Math.abs(value - (exact[at] as number)) / Math.max(Math.abs(exact[at] as number), 2 ** -14);
        furthestOff = Math.max(furthestOff, off);
      }
    }
    expect(furthestOff).toBeGreaterThan(0);
    expect(furthestOff).toBeLessThanOrEqual(step);
  });

  test('encodes as the same numbers do as single floats, and near to its original', async () => {
    const { original, half, twin } = scene();
    const [halves, singles, exact] = await Promise.all(
      [half, twin, original].map((folder) => run(openEncoder(folder), null, {})),
    );
    expect(furthest(halves ?? [], singles ?? [])).toBeLessThan(1e-6);
    expect(furthest(halves ?? [], exact ?? [])).toBeLessThan(8 * step);
  });

  test('is trained on, and merged with an adapter, as the same numbers are as single floats', async () => {
    const { half, twin } = scene();
    const [one, other] = await Promise.all(
      [half, twin].map(async (folder) => {
        const trainer = await tinyTrainer({ folder });
        const points = [await trainer.step(), await trainer.step()];
        await trainer.close();
        return points;
      }),
    );
    for (const at of [0, 1]) expect(one?.[at]?.loss).toBeCloseTo(other?.[at]?.loss ?? 0, 5);
    const [merged, asSingles] = [half, twin].map((folder) => {
      const model = openEncoder(folder);
      return mergedWeights(model, trainedAdapter(model));
    });
    expect(merged?.size).toBeGreaterThan(0);
    expect(merged).toEqual(asSingles);
  });
});
