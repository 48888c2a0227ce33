import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { writeTrainingGraph } from '../../bench/parity/steps.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { resolvePython } from '../../infra/setup/python.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const run = promisify(execFile);
const python = await resolvePython(readEnvironment(), 'onnxruntime').catch(() => null);

const folder = fileURLToPath(new URL('../fixtures/ml', import.meta.url));
const model = `${folder}/tiny-bert`;
const script = fileURLToPath(new URL('../../docs/examples/train-graph.py', import.meta.url));

test.skipIf(python === null)(
  'the example of the docs takes a training graph, in Python, to where it leads here',
  async () => {
    const graph = temporaryFolder();
    await writeTrainingGraph({ folder, model }, { provider: 'cpu', threads: 1, arena: true }, graph);
    const { stdout } = await run(python ?? '', [script, graph, model]);
    const { gradients, lossesOff } = JSON.parse(stdout);
    expect(gradients).toBeLessThan(1e-5);
    expect(lossesOff).toBeLessThan(1e-5);
  },
  120_000,
);
