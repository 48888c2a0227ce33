import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import type { ModelCache } from '../../adapters/models/cache.ts';
import { encoderSource } from '../../adapters/models/encoder-source.ts';
import type { ModelKind } from '../../contracts/model.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { newAdapter } from '../../ml/lora/adapter.ts';
import { saveAdapter } from '../../ml/lora/files.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tinyModel } from '../support/tiny-model.ts';

const BASE = 'b'.repeat(64);

const scene = async () => {
  const folder = temporaryFolder();
  const artifacts = folderArtifacts(join(folder, 'artifacts'));
  const control = sqliteControl(join(folder, 'control.db'));
  onTestFinished(() => control.close());
  const model = tinyModel(join(folder, 'model'));
  const cache: Pick<ModelCache, 'open'> = {
    open: async (id) => ({ folder: model, model: { id, source: '', name: 'tiny', files: {}, importedAt: '' } }),
  };
  const adapter = newAdapter(openEncoder(model), { rank: 2, alpha: 2, dropout: 0, targets: ['query'] }, 1);
  saveAdapter(join(folder, 'adapter'), adapter);
  const file = (name: string) => artifacts.put(readFileSync(join(folder, 'adapter', name)));
  const probe = { v: 1, lengths: { query: 16, document: 16 }, rows: [{ side: 'query', text: 'a' }], trained: [[1]] };
  const files = {
    'adapter_config.json': await file('adapter_config.json'),
    'adapter_model.safetensors': await file('adapter_model.safetensors'),
    'parity.json': await artifacts.putJson(probe),
  };
  const register = async (kind: ModelKind, of: object = files) => {
    const card = await artifacts.putJson({ kind, base: BASE, files: of, made: { plan: { side: 'query' } } });
    const registered = { id: card.sha256, kind, name: 'a', service: null, base: BASE, card };
    const createdAt = '2026-11-21T12:00:00.000Z';
    await control.addModel({ model: { ...registered, createdAt }, actor: { kind: 'lora', name: 'a' }, reason: 'test' });
    return card.sha256;
  };
  return { source: encoderSource({ cache, control, artifacts }), model, adapter, probe, files, register };
};

test('an encoder without an adapter is its base', async () => {
  const { source, model } = await scene();
  expect(await source.open({ base: BASE, adapter: null })).toEqual({
    folder: model,
    adapter: null,
    adapterSide: 'both',
    probe: null,
  });
});

test('an adapter comes with its numbers, its side, and what it must be held against', async () => {
  const { source, adapter, probe, register } = await scene();
  const opened = await source.open({ base: BASE, adapter: await register('adapter') });
  expect(opened).toMatchObject({ adapterSide: 'query', probe });
  expect(opened.adapter?.tensors).toEqual(adapter.tensors);
});

test('an adapter is not put over a base that its card does not name', async () => {
  const { source, register } = await scene();
  const order = { base: 'c'.repeat(64), adapter: await register('adapter') };
  await expect(source.open(order)).rejects.toMatchObject({ type: 'Refused' });
});

test('what is no adapter, or brings nothing to be held against, is refused', async () => {
  const { source, files, register } = await scene();
  const { 'parity.json': _, ...unproven } = files;
  const [quantised, unprovable] = [await register('quantized encoder'), await register('adapter', unproven)];
  for (const adapter of [quantised, unprovable]) {
    await expect(source.open({ base: BASE, adapter })).rejects.toMatchObject({ type: 'ConfigInvalid' });
  }
  await expect(source.open({ base: BASE, adapter: 'd'.repeat(64) })).rejects.toMatchObject({ type: 'NotFound' });
});
