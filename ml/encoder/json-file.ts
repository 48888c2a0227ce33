/** A model's JSON files, held against a schema; what is wrong is said by file and key. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';

/** `undefined` where there is no such file. */
export function readJson<T>(path: string, schema: z.ZodType<T>): T | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new PawlError('Unavailable', `${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const parsed = schema.safeParse(parsedJson(path, text));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`);
  throw new PawlError('ConfigInvalid', `${path}: ${problems.join('; ')}`, {
    hint: 'Import the model or adapter again, or name another one: this is not what a BERT is described by.',
  });
}

const parsedJson = (path: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new PawlError('ConfigInvalid', `${path} is no JSON: ${cause instanceof Error ? cause.message : cause}`, {
      hint: 'Import the model or adapter again.',
      cause,
    });
  }
};

/** One of `known`, or a message that lists them. */
export const oneOf = <const T extends string>(known: readonly T[]) =>
  z.enum(known, {
    error: ({ input }) =>
      `expected ${known.map((one) => JSON.stringify(one)).join(' or ')}, found ${JSON.stringify(input)}`,
  });
