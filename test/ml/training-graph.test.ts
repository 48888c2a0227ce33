import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeTrainingGraph } from '../../bench/parity/steps.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const { python } = readEnvironment();
const there = async (module: string): Promise<boolean> =>
  run(python, ['-c', `import importlib.util as u; assert u.find_spec("${module}") and u.find_spec("numpy")`]).then(
    () => true,
    () => false,
  );
const skipped = (module: string): string => ` (skipped: ${python} -m pip install ${module} numpy)`;

const folder = fileURLToPath(new URL('../fixtures/ml', import.meta.url));
const model = `${folder}/tiny-bert`;
const script = fileURLToPath(new URL('../../docs/examples/train-graph.py', import.meta.url));

for (const [module, options] of [['onnxruntime', []] as const, ['torch', ['--torch']] as const]) {
  const missing = !(await there(module));
  const title = `the example of the docs takes a training graph to where it leads here, with ${module}`;
  test.skipIf(missing)(missing ? title + skipped(module) : title, { timeout: 300_000 }, async () => {
    const graph = temporaryFolder();
    await writeTrainingGraph({ folder, model }, { provider: 'cpu', threads: 1, arena: true }, graph);
    const { stdout } = await run(python, [script, graph, model, ...options]);
    const { gradients, lossesOff } = JSON.parse(stdout);
    expect(gradients).toBeLessThan(1e-5);
    expect(lossesOff).toBeLessThan(1e-5);
  });
}
