/** Adapters on the disk, in PEFT's own format: adapter_config.json beside adapter_model.safetensors. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { readJson } from '../encoder/json-file.ts';
import { POOLER } from '../encoder/weights.ts';
import { openSafetensors, readFloats } from '../safetensors/read.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import { type Adapter, type FloatTensor, scoresPairs } from './adapter.ts';
import { loraConfigOf, PeftConfig, peftConfigOf } from './peft-config.ts';
import { CLASSIFIER } from './shape.ts';

const CONFIG = 'adapter_config.json';
const WEIGHTS = 'adapter_model.safetensors';
/** Which base it belongs to, in the header of the weights: PEFT's configuration has room for a name only. */
const BASE = 'pawl.base';
const POOLER_ADAPTER = new RegExp(`\\.${POOLER.replace('.', '\\.')}\\.lora_`);

/** What the folder holds; whether it fits a model is what adapterShape says. */
export function loadAdapter(folder: string): Adapter {
  const path = join(folder, CONFIG);
  const peft = readJson(path, PeftConfig);
  if (!peft) {
    throw new PawlError('NotFound', `There is no ${path}: ${folder} holds no adapter`, {
      hint: `Name a folder with ${CONFIG} and ${WEIGHTS}, as PEFT and \`pawl lora export\` write it.`,
    });
  }
  const { tensors, metadata } = openSafetensors(join(folder, WEIGHTS));
  const component = [...tensors.keys()].some((name) => name.endsWith(`.${CLASSIFIER}.weight`)) ? 'reranker' : 'encoder';
  const read = [...tensors.values()].flatMap((tensor): [string, FloatTensor][] =>
    // Over the pooler an adapter has no part in an embedding.
    component === 'encoder' && POOLER_ADAPTER.test(tensor.name)
      ? []
      : [[tensor.name, { shape: tensor.shape, data: readFloats(tensor) }]],
  );
  const base = metadata[BASE] ?? peft.base_model_name_or_path ?? 'unknown';
  return { config: loraConfigOf(peft), component, base, tensors: new Map(read) };
}

/** `baseName`: what PEFT is told about the base, a name or a folder; it is Pawl's own name for it where nothing is said. */
export function saveAdapter(folder: string, adapter: Adapter, baseName: string = adapter.base): void {
  mkdirSync(folder, { recursive: true });
  const names = [...adapter.tensors.keys()];
  const pooler = names.some((name) => name.endsWith(`.${POOLER}.weight`)) ? [POOLER] : [];
  const head = scoresPairs(adapter) ? [...pooler, CLASSIFIER] : [];
  const config = peftConfigOf(adapter.config, adapter.component, head, baseName);
  writeFileSync(join(folder, CONFIG), `${JSON.stringify(config, null, 2)}\n`);
  // Last, and whole or not at all: a folder without its weights is no adapter.
  writeSafetensors(join(folder, WEIGHTS), Object.fromEntries(adapter.tensors), { format: 'pt', [BASE]: adapter.base });
}
