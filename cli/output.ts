/** Results go to stdout, everything else to stderr; with --json stdout is JSON and nothing else. */
import { withProgress } from '../infra/setup/progress.mjs';
import { dim, type Line, render } from './text.ts';

export interface Reply {
  /** What --json prints; absent where the command has printed it already. */
  readonly data?: unknown;
  /** What a person reads. */
  readonly lines: readonly Line[];
  /** What a person may want to do next, as commands with what they are for. */
  readonly next?: ReadonlyArray<readonly [what: string, command: string]>;
  readonly exitCode?: number;
}

interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Output {
  readonly json: boolean;
  /** Whether a person can be asked something. */
  readonly interactive: boolean;
  print(line: Line): void;
  /** One JSON value on a line of its own. */
  printJson(value: unknown): void;
  note(line: Line): void;
  reply(reply: Reply): void;
  /** Shows what takes longer than a moment. */
  progress<T>(what: string, work: (detail: (line: string) => void) => Promise<T>): Promise<T>;
}

export interface OutputOptions {
  readonly json: boolean;
  /** The user's wish; a stream that is no terminal gets none anyway. */
  readonly colour: boolean;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly stdin: { readonly isTTY?: boolean };
}

export const createOutput = ({ json, colour, stdout, stderr, stdin }: OutputOptions): Output => {
  const write = (stream: Stream, line: Line) => stream.write(`${render(line, colour && stream.isTTY === true)}\n`);
  const print = (line: Line) => write(stdout, line);
  const printJson = (value: unknown) => stdout.write(`${jsonLine(value)}\n`);
  return {
    json,
    interactive: !json && stdin.isTTY === true && stderr.isTTY === true,
    print,
    printJson,
    note: (line) => {
      if (!json) write(stderr, line);
    },
    reply: ({ data, lines, next = [] }) => {
      if (json) {
        if (data !== undefined) printJson(data);
        return;
      }
      for (const line of lines) print(line);
      if (next.length > 0) print('');
      for (const [what, command] of next) print([dim(`${what}: `), command]);
    },
    progress: (what, work) => (json ? work(() => undefined) : withProgress(what, work, { screen: stderr })),
  };
};

/** JSON may hold the control characters of the upper half as they are, and some terminals obey them. */
export const jsonLine = (value: unknown): string =>
  JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
