import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from '../../../domain/random.ts';
import { loadNetwork, saveNetwork } from '../../../ml/network/file.ts';
import { openNetwork } from '../../../ml/network/inference.ts';
import { type NetworkShape, newNetwork } from '../../../ml/network/network.ts';
import { reconstruction, regression, type Table, tableOf, yesOrNo } from '../../../ml/network/problems.ts';
import { foldScale, scaled, scaleOf } from '../../../ml/network/scale.ts';
import { type NetworkPlan, trainNetwork } from '../../../ml/network/training.ts';
import { safetensorsBytes } from '../../../ml/safetensors/write.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const PLAN: NetworkPlan = {
  ...{ steps: 300, batch: 4, learningRate: 0.05, warmup: 0, decay: 'linear', weightDecay: 0, clip: 0, seed: 1 },
};
const shape = (
  inputs: number,
  ...layers: Array<[number, NetworkShape['layers'][number]['activation']]>
): NetworkShape => ({
  inputs,
  layers: layers.map(([outputs, activation]) => ({ outputs, activation })),
});
const outputsOf = async (network: Parameters<typeof openNetwork>[0], inputs: Table): Promise<number[]> => {
  const opened = await openNetwork(network);
  const { data } = await opened.outputs(inputs);
  await opened.close();
  return [...data];
};

const XOR = tableOf([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
]);
const EITHER = tableOf([[0], [1], [1], [0]]);

test.each(['tanh', 'gelu', 'relu', 'sigmoid'] as const)(
  'with a layer of %s between, it learns exclusive or',
  async (activation) => {
    const start = newNetwork(shape(2, [8, activation], [1, 'none']), 3);
    const { network, losses } = await trainNetwork(start, yesOrNo(XOR, EITHER), { ...PLAN, steps: 600 });
    expect(losses[0]).toBeGreaterThan(0.5);
    expect(losses.at(-1)).toBeLessThan(0.1);
    expect((await outputsOf(network, XOR)).map((logit) => logit > 0)).toEqual([false, true, true, false]);
  },
);

test('with no layer between it cannot: the layer is what does it', async () => {
  const { losses } = await trainNetwork(newNetwork(shape(2, [1, 'none']), 3), yesOrNo(XOR, EITHER), PLAN);
  expect(losses.at(-1)).toBeGreaterThan(0.6);
});

test('one linear layer finds the line that the figures lie on', async () => {
  const random = seeded(5);
  const rows = Array.from({ length: 64 }, () => [random() - 0.5, random() - 0.5]);
  const targets = tableOf(rows.map(([a = 0, b = 0]) => [3 * a - 2 * b + 0.5]));
  const start = newNetwork(shape(2, [1, 'none']), 1);
  const { network } = await trainNetwork(start, regression(tableOf(rows), targets), { ...PLAN, batch: 16 });
  for (const [at, expected] of [3, -2, 0.5].entries()) expect(network.parameters[at]).toBeCloseTo(expected, 2);
});

test('a mean squared error is the mean over rows and columns', async () => {
  const start = { shape: shape(1, [2, 'none']), parameters: new Float32Array(4) };
  const problem = regression(
    tableOf([[1], [1]]),
    tableOf([
      [1, 2],
      [3, 4],
    ]),
  );
  const { losses } = await trainNetwork(start, problem, { ...PLAN, steps: 1, batch: 2 });
  expect(losses).toEqual([(1 + 4 + 9 + 16) / 4]);
});

test('a narrow network rebuilds what is like its examples, and not what is unlike them', async () => {
  const random = seeded(9);
  const usual = Array.from({ length: 64 }, () => random()).map((load) => [load, 2 * load, 1 - load]);
  const start = newNetwork(shape(3, [1, 'none'], [3, 'none']), 2);
  const { network } = await trainNetwork(start, reconstruction(tableOf(usual)), { ...PLAN, batch: 16, steps: 500 });
  const errorOf = async (row: number[]): Promise<number> =>
    (await outputsOf(network, tableOf([row]))).reduce((sum, value, at) => sum + (value - (row[at] ?? 0)) ** 2, 0);
  expect(await errorOf([0.5, 1, 0.5])).toBeLessThan(0.01);
  expect(await errorOf([0.5, 0, 0.5])).toBeGreaterThan(0.3);
});

test('the same seed gives the same parameters, another seed others', async () => {
  const start = newNetwork(shape(2, [8, 'tanh'], [1, 'none']), 3);
  const train = async (seed: number) =>
    (await trainNetwork(start, yesOrNo(XOR, EITHER), { ...PLAN, steps: 20, batch: 2, seed })).network.parameters;
  expect(await train(1)).toEqual(await train(1));
  expect(await train(2)).not.toEqual(await train(1));
  expect(newNetwork(start.shape, 4).parameters).not.toEqual(start.parameters);
});

test('a loss that is not a number stops it, and says at which step', async () => {
  const start = newNetwork(shape(1, [1, 'none']), 1);
  const problem = regression(tableOf([[1]]), tableOf([[Number.NaN]]));
  await expect(trainNetwork(start, problem, { ...PLAN, batch: 1 })).rejects.toThrow(
    'Step 0 of the network has the loss NaN',
  );
});

const NAMES = ['errors', 'latency'];

test('what was saved is what is loaded', async () => {
  const path = join(temporaryFolder(), 'network.safetensors');
  const network = newNetwork(shape(2, [3, 'gelu'], [1, 'none']), 7);
  saveNetwork(path, network, NAMES);
  const loaded = loadNetwork(path, NAMES);
  expect(loaded).toEqual(network);
  expect(await outputsOf(loaded, XOR)).toEqual(await outputsOf(network, XOR));
});

test('a network is not fed what it was not made for, though it be as long', () => {
  const path = join(temporaryFolder(), 'network.safetensors');
  saveNetwork(path, newNetwork(shape(2, [1, 'none']), 7), NAMES);
  expect(() => loadNetwork(path, NAMES.toReversed())).toThrow(
    'should be ["latency","errors"], found ["errors","latency"]',
  );
});

test.each([
  ['a layer without a bias', { 'layers.0.weight': [1, 2] }, 'none', 'layers.0.bias should be [1], found nothing'],
  [
    'a layer of another width',
    { 'layers.0.weight': [1, 2], 'layers.0.bias': [3] },
    'none',
    'layers.0.bias should be [1], found [3]',
  ],
  [
    'fewer inputs than names',
    { 'layers.0.weight': [1, 1], 'layers.0.bias': [1] },
    'none',
    'layers.0.weight should be [1,2], found [1,1]',
  ],
  ['an unknown activation', { 'layers.0.weight': [1, 2], 'layers.0.bias': [1] }, 'swish', 'found "swish"'],
])('a file with %s is refused by name', (_, shapes, activations, message) => {
  const path = join(temporaryFolder(), 'network.safetensors');
  const tensors = Object.entries(shapes).map(([name, size]) => [
    name,
    { shape: size, data: new Float32Array(size.reduce((a, b) => a * b, 1)) },
  ]);
  writeFileSync(path, safetensorsBytes(Object.fromEntries(tensors), { activations, inputs: JSON.stringify(NAMES) }));
  expect(() => loadNetwork(path, NAMES)).toThrow(message);
});

test('a scale that is folded into the first layer gives what the scaled rows gave', async () => {
  const rows = tableOf([
    [100, 0.001],
    [300, 0.003],
    [200, 0.008],
  ]);
  const scale = scaleOf(rows);
  const scaledRows = scaled(rows, scale);
  expect([...scaledRows.data].reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 5);
  const network = newNetwork(shape(2, [4, 'tanh'], [1, 'none']), 7);
  const [folded, before] = [await outputsOf(foldScale(network, scale), rows), await outputsOf(network, scaledRows)];
  for (const [at, value] of folded.entries()) expect(value).toBeCloseTo(before[at] ?? Number.NaN, 5);
});

test('a column that is always the same says nothing, and divides by nothing', () => {
  const rows = tableOf([[7], [7]]);
  expect([...scaled(rows, scaleOf(rows)).data]).toEqual([0, 0]);
});

test('a column that never changes keeps its scale, whatever its mean is off by', () => {
  const rows = { columns: 2, data: Float32Array.from({ length: 600 }, (_, at) => (at % 2 === 0 ? Math.log1p(4) : at)) };
  const { deviations } = scaleOf(rows);
  expect(deviations[0]).toBe(1);
  expect(deviations[1]).toBeGreaterThan(100);
});
