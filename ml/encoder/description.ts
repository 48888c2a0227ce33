/** What a model's folder holds beside its weights. */
import { copyFileSync, globSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A model is described by JSON and by its vocabulary. */
const DESCRIPTIONS = ['*.json', '*/config.json', 'vocab.txt'];
/** What whoever keeps the folder says of it. */
const OF_ITS_KEEPER = ['imported.json', 'model-card.json'];

/** `into` is made here. */
export function copyDescription(from: string, into: string): void {
  mkdirSync(into, { recursive: true });
  for (const file of globSync(DESCRIPTIONS, { cwd: from })) {
    if (OF_ITS_KEEPER.includes(file)) continue;
    mkdirSync(dirname(join(into, file)), { recursive: true });
    copyFileSync(join(from, file), join(into, file));
  }
}
