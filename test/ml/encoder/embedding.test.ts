import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encoderGraph } from '../../../ml/encoder/graph.ts';
import { openEncoder } from '../../../ml/encoder/open.ts';
import { tokenFeeds, tokenInputs } from '../../../ml/encoder/tokens.ts';
import { Graph } from '../../../ml/graph/graph.ts';
import { openSafetensors, readBytes } from '../../../ml/safetensors/read.ts';
import { openSession } from '../../../ml/session/session.ts';
import type { Tokens } from '../../../ml/tokenizer/open.ts';
import { changeJson, changeTensors, tinyFolder, weightsOf } from '../../support/model-folder.ts';
import { gelu, geluByTanh, plainEmbedding, relu } from '../../support/plain-bert.ts';

const ON_ONE_THREAD = { provider: 'cpu', threads: 1, arena: true } as const;
/** Of quite different lengths, so that most of the grid holds no token. */
const TEXTS = [
  [2, 50, 60, 70, 80, 90, 100, 51, 61, 3],
  [2, 55, 3],
  [2, 110, 56, 66, 3],
];
const TOKENS: Tokens = { ids: Int32Array.from(TEXTS.flat()), lengths: Int32Array.from(TEXTS, ({ length }) => length) };

async function embeddingsOf(folder: string, tokens = TOKENS): Promise<number[]> {
  const graph = new Graph();
  graph.output('e', encoderGraph(graph, openEncoder(folder), tokenInputs(graph), { training: false }));
  const session = await openSession(graph.toModel(), folder, ON_ONE_THREAD);
  const { e } = await session.run(tokenFeeds(tokens));
  await session.close();
  return [...(e?.data ?? [])];
}
const expectClose = (found: readonly number[], expected: readonly number[], most = 2e-6) => {
  expect(found).toHaveLength(expected.length);
  expect(Math.max(...found.map((value, i) => Math.abs(value - (expected[i] as number))))).toBeLessThan(most);
};

test.each([
  { pooling: 'mean', normalise: true, hidden_act: 'gelu', activation: gelu },
  { pooling: 'cls', normalise: false, hidden_act: 'relu', activation: relu },
  { pooling: 'mean', normalise: false, hidden_act: 'gelu_new', activation: geluByTanh },
] as const)(
  'texts of any lengths get the embeddings that BERT by its paper gives each alone: $pooling, $hidden_act',
  async (how) => {
    const folder = tinyFolder({ pooling: how.pooling, normalise: how.normalise });
    changeJson(join(folder, 'config.json'), { hidden_act: how.hidden_act });
    const expected = TEXTS.flatMap((ids) => plainEmbedding(folder, ids, { layers: 2, heads: 4, ...how }));
    expectClose(await embeddingsOf(folder), expected, 5e-6);
  },
);

test('weights under bert., with gamma and beta, without a pooler, are the same model', async () => {
  const folder = tinyFolder();
  const before = await embeddingsOf(folder);
  changeTensors(weightsOf(folder), (tensors) =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, tensor]) => {
        const old = name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta');
        return name.startsWith('pooler') ? [] : [[`bert.${old}`, tensor]];
      }),
    ),
  );
  expect(await embeddingsOf(folder)).toEqual(before);
});

test('weights stay where they lie: the graph of a model holds names and places only', () => {
  const folder = tinyFolder();
  const graph = new Graph();
  const inputs = tokenInputs(graph);
  graph.output('e', encoderGraph(graph, openEncoder(folder), inputs, { training: false }));
  const { tensors } = openSafetensors(weightsOf(folder));
  const query = readBytes(
    tensors.get('encoder.layer.0.attention.self.query.weight') as Parameters<typeof readBytes>[0],
  );
  expect(Buffer.from(graph.toModel()).includes(Buffer.from(query))).toBe(false);
});

test('the grid says where each token stands, and which places hold none', () => {
  const feeds = tokenFeeds({ ids: Int32Array.from([7, 8, 9]), lengths: Int32Array.from([1, 2]) }, 'document.');
  const numbers = Object.fromEntries(Object.entries(feeds).map(([name, { data }]) => [name, Array.from(data, Number)]));
  expect(numbers).toEqual({
    'document.ids': [7, 8, 9],
    'document.positions': [0, 0, 1],
    'document.types': [0, 0, 0],
    'document.places': [0, 2, 3],
    'document.slots': [0, 3, 1, 2],
    'document.mask': [1, 0, 1, 1],
  });
});
