import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeServiceHome } from '../../drills/service-home.ts';
import { openQuantised } from '../../ml/quantize/open.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tinyModel } from '../support/tiny-model.ts';
import { errorOf, pawlIn } from './cli-world.ts';

const scene = async () => {
  const { home, control } = await makeServiceHome();
  const cache = temporaryFolder();
  onTestFinished(() => {
    control.close();
    rmSync(home, { recursive: true, force: true });
  });
  const pawl = (...args: readonly string[]) => pawlIn(home, [...args, '--json'], { XDG_CACHE_HOME: cache });
  const folder = tinyModel(join(temporaryFolder(), 'tiny'), { hidden: 64, intermediate: 128 });
  const { json } = await pawl('model', 'import', `file:${folder}`);
  return { control, pawl, base: json as { id: string; folder: string } };
};

test('a quantised model is another model: in the cache by its own id, in the registry with a card, and in the list', async () => {
  const { control, pawl, base } = await scene();
  const made = await pawl('model', 'quantize', base.id.slice(0, 12), '--scheme', 'blocks8');
  expect(made.code).toBe(0);
  const { id, imported, folder, kind } = made.json as Record<string, string>;
  expect(kind).toBe('quantized encoder');
  expect(imported).not.toBe(base.id);
  expect(openQuantised(folder ?? '')?.quantisation.scheme).toEqual({ method: 'blocks', bits: 8, block: 32 });
  const registered = await control.model(id ?? '');
  expect(registered).toMatchObject({ base: base.id, kind: 'quantized encoder', service: null });
  const rows = await control.ledger({});
  expect(rows.filter(({ kind: row }) => row === 'model registered')).toHaveLength(1);
  const { json: listed } = await pawl('model', 'ls');
  expect(listed).toMatchObject({ registered: [{ id }], imported: [{ id: base.id }, { id: imported }] });

  // Again, it is the same model.
  const again = await pawl('model', 'quantize', base.id.slice(0, 12), '--scheme', 'blocks8');
  expect(again.json).toMatchObject({ id, imported });

  const twice = await pawl('model', 'quantize', imported ?? '');
  expect(twice.code).toBe(2);
  expect(errorOf(twice)).toMatchObject({ type: 'Usage', message: expect.stringContaining('is quantised already') });
}, 300_000);

test('a scheme that there is not is refused with those that there are', async () => {
  const refused = await pawlIn(temporaryFolder(), ['model', 'quantize', 'x', '--scheme', 'int3', '--json']);
  expect(refused.code).toBe(2);
  expect(errorOf(refused).message).toBe('model quantize: --scheme: expected int8, blocks8, blocks4');
});
