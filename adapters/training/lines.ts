/** The JSON lines that a fine-tune reads and writes. */
import { z } from 'zod';
import type { HeldOutQuery, TrainingExample, Trajectory } from '../../contracts/lora.ts';
import type { CorpusText } from '../../domain/training-data.ts';
import { parseJsonLines, type SourceText } from '../service/jsonl.ts';

const example = z
  .object({
    query: z.string(),
    positive: z.string(),
    negatives: z.array(z.string()).optional(),
    grades: z.array(z.number().nonnegative()).optional(),
  })
  .refine(({ negatives = [], grades }) => grades === undefined || grades.length === negatives.length + 1, {
    path: ['grades'],
    error: 'expected one grade for the positive and one for each negative',
  });
const trajectory = z.object({
  query: z.string(),
  shown: z.array(z.string()).optional(),
  chosen: z.array(z.string()).min(1),
});
const heldOutQuery = z.object({ query: z.string(), relevant: z.record(z.string(), z.number()) });
const corpusText = z.object({ id: z.string(), text: z.string() });

export const parseExamples = (source: SourceText): TrainingExample[] =>
  parseJsonLines(source, example) as TrainingExample[];
export const parseTrajectories = (source: SourceText): Trajectory[] =>
  parseJsonLines(source, trajectory) as Trajectory[];
export const parseHeldOut = (source: SourceText): HeldOutQuery[] => parseJsonLines(source, heldOutQuery);
export const parseCorpusTexts = (source: SourceText): CorpusText[] => parseJsonLines(source, corpusText);

export const linesText = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');
