import type { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';

export interface SourceText {
  /** As the reader of an error knows it. */
  readonly name: string;
  readonly text: string;
}

/** Every line that is not empty, checked; the first bad one is an error that names file, line and key. */
export function parseJsonLines<Shape>(source: SourceText, shape: z.ZodType<Shape>): Shape[] {
  return linesOf(source).map(({ line, number }) => {
    const checked = shape.safeParse(parseLine(source.name, line, number));
    if (checked.success) return checked.data;
    const issue = checked.error.issues[0];
    throw badLine(source.name, number, `${issue?.path.join('.') || 'the line'}: ${issue?.message}`);
  });
}

export function linesOf({ text }: SourceText): Array<{ line: string; number: number }> {
  return text
    .split('\n')
    .map((line, at) => ({ line: line.endsWith('\r') ? line.slice(0, -1) : line, number: at + 1 }))
    .filter(({ line }) => line.trim() !== '');
}

export const badLine = (name: string, number: number, what: string): PawlError =>
  new PawlError('ConfigInvalid', `${name}:${number}  ${what}`, { hint: 'Mend or remove the line, then start again.' });

function parseLine(name: string, line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw badLine(name, number, `expected one JSON object, found "${line.slice(0, 60)}"`);
  }
}
