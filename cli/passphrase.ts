/** Passphrases: typed without an echo, or given in a file or by PAWL_PASSPHRASE where nobody can type. Never an argument. */
import { readFile } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { PawlError } from '../contracts/failures.ts';
import type { Context } from './context.ts';

const HINT = 'Give it with --passphrase-file FILE or in PAWL_PASSPHRASE.';

/** Opens a key that is there. */
export const passphraseFor = async (context: Context, path: string, file: string | undefined): Promise<string> => {
  const given = await givenPassphrase(context, file);
  if (given !== null) return given;
  if (context.out.interactive) return (await askHidden([`Passphrase of ${path}: `]))[0] ?? '';
  throw new PawlError('NotAllowed', `${path} is protected by a passphrase, and there is no terminal to ask on.`, {
    hint: HINT,
  });
};

/** For a key that is made; null where an empty one was typed. Typed twice, since nobody sees what was typed. */
export const newPassphrase = async (context: Context, file: string | undefined): Promise<string | null> => {
  const given = await givenPassphrase(context, file);
  if (given !== null) return given;
  if (!context.out.interactive) {
    throw new PawlError('Usage', 'A new key needs a passphrase, and there is no terminal to ask on.', {
      hint: `${HINT} Or say --no-passphrase.`,
    });
  }
  const [typed = '', again] = await askHidden(['Passphrase for the new key (empty: none): ', 'Again: ']);
  if (typed === '') return null;
  if (again === typed) return typed;
  throw new PawlError('Usage', 'The two passphrases differ; nothing was done.');
};

/** Whether one stands in a file or in the environment. */
export const givenPassphrase = async (context: Context, file: string | undefined): Promise<string | null> => {
  if (file === undefined) return context.environment.passphrase?.normalize() ?? null;
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new PawlError('NotFound', `The passphrase file ${file} cannot be read: ${cause.message}`, {
      cause,
      hint: HINT,
    });
  });
  const passphrase = text.replace(/\r?\n$/, '').normalize();
  if (passphrase !== '') return passphrase;
  throw new PawlError('Usage', `The passphrase file ${file} is empty.`, { hint: 'To have none, say --no-passphrase.' });
};

/** What a terminal is, as far as it is needed here. */
export interface Keyboard {
  setRawMode(raw: boolean): unknown;
  on(event: 'data', hear: (chunk: Buffer) => void): unknown;
  off(event: 'data', hear: (chunk: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

/**
 * Nothing of what is typed is shown, not even how long it is. The questions come one after the other, and an empty answer
 * ends them.
 */
export const askHidden = async (
  questions: readonly string[],
  keyboard: Keyboard = process.stdin,
  screen: { write(text: string): unknown } = process.stderr,
): Promise<readonly string[]> => {
  const decoder = new StringDecoder('utf8');
  const answers: string[] = [];
  let typed: string[] = [];
  let hear = (_chunk: Buffer): void => undefined;
  screen.write(questions[0] ?? '');
  keyboard.setRawMode(true);
  try {
    return await new Promise<readonly string[]>((resolve, reject) => {
      hear = (chunk) => {
        for (const key of decoder.write(chunk)) {
          if (ENDS.has(key)) {
            answers.push(typed.join('').normalize());
            typed = [];
            screen.write('\n');
            if (answers.length === questions.length || answers.at(-1) === '') return resolve(answers);
            screen.write(questions[answers.length] ?? '');
          } else if (key === INTERRUPT) {
            screen.write('\n');
            return reject(new PawlError('Refused', 'Nothing was done: the question was not answered.'));
          } else if (ERASES.has(key)) typed.pop();
          else if (key === ERASES_ALL) typed = [];
          else if (key >= ' ') typed.push(key);
        }
      };
      keyboard.on('data', hear);
      keyboard.resume();
    });
  } finally {
    keyboard.off('data', hear);
    keyboard.setRawMode(false);
    keyboard.pause();
  }
};

/** Enter and Ctrl-D; Ctrl-C; the two that a backspace key may send; Ctrl-U. */
const ENDS: ReadonlySet<string> = new Set(['\r', '\n', '\u0004']);
const INTERRUPT = '\u0003';
const ERASES: ReadonlySet<string> = new Set(['\u007f', '\b']);
const ERASES_ALL = '\u0015';
