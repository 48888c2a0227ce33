/** What a fine-tune with the tiny model needs: the model, and examples that it can learn. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoraConfig, TrainingExample, TrainingPlan } from '../../contracts/lora.ts';
import { seeded } from '../../domain/random.ts';
import { trainingPlan } from './lora.ts';
import { TINY_VOCABULARY, tinyModel } from './tiny-model.ts';

export const tinyFolder = (): string => tinyModel(mkdtempSync(join(tmpdir(), 'pawl-tiny-')));

const WORDS = TINY_VOCABULARY.filter((token) => /^[a-z]{3,}$/.test(token));

/** Questions and answers that share no word, but belong together by their number. */
export const tinyExamples = (count: number): TrainingExample[] => {
  const random = seeded(11);
  const words = (n: number): string =>
    Array.from({ length: n }, () => WORDS[Math.floor(random() * WORDS.length)] ?? 'word').join(' ');
  return Array.from({ length: count }, () => ({ query: words(5), positive: words(9) }));
};

export const tinyConfig: LoraConfig = { rank: 4, alpha: 8, dropout: 0.1, targets: 'all-linear' };
export const tinyPlan: TrainingPlan = { ...trainingPlan, steps: 12, batch: 8, evaluateEvery: 6, checkpointEvery: 2 };
