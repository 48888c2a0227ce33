import { createInterface } from 'node:readline/promises';
import { PawlError } from '../contracts/failures.ts';
import type { Output } from './output.ts';

/** Returns only for a yes. The question goes to stderr, so that stdout stays what was asked for. */
export const confirm = async (out: Output, question: string): Promise<void> => {
  if (!out.interactive) {
    throw new PawlError('Usage', 'There is no terminal to ask on.', { hint: 'Add --yes if you have looked at it.' });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new PawlError('Refused', 'Nothing was done: the answer was not yes.');
};
