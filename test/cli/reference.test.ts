import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { commands } from '../../cli/commands.ts';
import { exitCodes } from '../../cli/exit-codes.ts';
import { createProgram } from '../../cli/program.ts';
import { reference } from '../../cli/reference.ts';
import { failures } from '../../contracts/failures.ts';

const guide = (name: string) => readFileSync(new URL(`../../docs/guide/${name}`, import.meta.url), 'utf8');

const program = createProgram(async () => undefined, '0.0.0');
const tree = (command: Command, words: readonly string[] = []): Array<readonly [string, Command]> =>
  command.commands.flatMap((child): Array<readonly [string, Command]> => {
    const path = [...words, child.name()];
    return [[path.join(' '), child], ...tree(child, path)];
  });

const helpOf = (command: Command): string => {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
};

describe('help', () => {
  test.each(tree(program))('pawl %s says what it does and shows an example of itself', (path, command) => {
    const help = helpOf(command);
    expect(help).toMatch(new RegExp(`Examples?:\n  pawl ${path}`));
    expect(command.description()).not.toBe('');
  });

  test('every command that the walking skeleton promises is there', () => {
    const promised = [
      ...[
        'up',
        'doctor',
        'check',
        'init',
        'pause',
        'resume',
        'kill',
        'rearm',
        'worker',
        'gateway',
        'status',
        'inbox',
        'approve',
        'reject',
      ],
      ...['start', 'ls', 'show', 'watch', 'replay', 'abort', 'pause', 'resume', 'skip'].map((verb) => `cycle ${verb}`),
      ...['evidence show', 'evidence verify'],
      ...['gold set', 'gold show', 'variant ls', 'variant create', 'variant show', 'help exit-codes'],
      ...['ls', 'add', 'key', 'passphrase', 'revoke'].map((verb) => `people ${verb}`),
      ...['ls', 'create', 'invite', 'rotate', 'revoke'].map((verb) => `key ${verb}`),
      ...['show', 'at', 'verify', 'prove', 'export'].map((verb) => `audit ${verb}`),
      ...['ls', 'apply', 'pause', 'resume', 'trigger'].map((verb) => `schedule ${verb}`),
      ...['ls', 'test', 'explain'].map((verb) => `policy ${verb}`),
      ...['add', 'ls', 'rebuild', 'export', 'import'].map((verb) => `index ${verb}`),
      ...['ls', 'show', 'import', 'quantize'].map((verb) => `model ${verb}`),
      ...['plan', 'show', 'watch', 'look', 'pause', 'resume', 'promote', 'reject', 'abort'].map((verb) => `ab ${verb}`),
      ...['start', 'ls', 'show', 'watch', 'extend', 'checkpoint', 'abort', 'resume', 'export'].map(
        (verb) => `lora ${verb}`,
      ),
      ...['import', 'export', 'coverage'].map((verb) => `judge ${verb}`),
      ...['show', 'watch', 'promote', 'skip', 'pause', 'resume', 'abort', 'retry', 'undo'].map(
        (verb) => `canary ${verb}`,
      ),
      ...['ls', 'start', 'show', 'abort'].map((verb) => `fix ${verb}`),
      ...['drill crash', 'drill matrix', 'drill run'],
      ...['backup', 'restore', 'gc', 'erase'],
    ];
    expect(commands.map(({ name }) => name).sort()).toEqual(promised.sort());
  });

  test('no two exit codes mean the same number', () => {
    const codes = exitCodes.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('the guide', () => {
  test('docs/guide/cli.md says what --help says (`vitest run test/cli/reference.test.ts -u` writes it anew)', async () => {
    await expect(reference(commands)).toMatchFileSnapshot('../../docs/guide/cli.md');
  });

  test('docs/guide/failures.md holds the catalogue, row by row', () => {
    const rows = guide('failures.md')
      .split('\n')
      .filter((line) => /^\| `\w+` \|/.test(line))
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    const catalogue = Object.entries(failures).map(([type, { retryable, exitCode, httpStatus, meaning }]) => [
      `\`${type}\``,
      retryable ? 'yes' : 'no',
      String(exitCode),
      String(httpStatus),
      meaning,
    ]);
    expect(rows).toEqual(catalogue);
  });
});
