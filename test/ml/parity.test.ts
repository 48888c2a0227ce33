import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CHECKS } from '../../bench/parity/checks.ts';
import { CLOSE } from '../../bench/parity/references.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tinyModel } from '../support/tiny-model.ts';

const folder = fileURLToPath(new URL('../fixtures/ml', import.meta.url));
const references = { folder, model: `${folder}/tiny-bert` };

test.each(Object.entries(CHECKS))('%s are those of PyTorch and PEFT', async (_, check) => {
  const compared = await check(references, { provider: 'cpu', threads: 1, arena: true });
  expect(compared).not.toHaveLength(0);
  expect(compared.filter(({ error }) => !(error <= CLOSE))).toEqual([]);
});

test('the model that the references were made of is the one that tests build themselves', () => {
  const built = tinyModel(temporaryFolder());
  const files = readdirSync(references.model, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files).toHaveLength(8);
  for (const { parentPath, name } of files) {
    const path = join(parentPath, name);
    const same = readFileSync(path).equals(readFileSync(path.replace(references.model, built)));
    expect(same, name).toBe(true);
  }
});
