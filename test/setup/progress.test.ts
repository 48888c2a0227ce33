import { expect, test } from 'vitest';
import { withProgress } from '../../infra/setup/progress.mjs';

const screen = (isTTY = false) => {
  const written: string[] = [];
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
};
/** Resolves when something has been shown. */
const shown = async (on: ReturnType<typeof screen>) => {
  while (on.written.length === 0) await new Promise((resolve) => setImmediate(resolve));
};

test('what is quick is not mentioned', async () => {
  const quiet = screen();
  await expect(withProgress('Fetching', () => 'done', { screen: quiet })).resolves.toBe('done');
  expect(quiet.written).toEqual([]);
});

test('what takes long is named with its last line, and with its end', async () => {
  const log = screen();
  const work = async (detail: (line: string) => void) => {
    detail('\x1b[31mcompiling\x07 history');
    await shown(log);
  };
  await withProgress('Building', work, { screen: log, quietMs: 0 });
  expect(log.written).toEqual([
    expect.stringMatching(/^… Building · \d+ s · compiling history\n$/),
    expect.stringMatching(/^✓ Building · \d+ s\n$/),
  ]);
});

test('a failure ends with a cross, and the error goes on', async () => {
  const log = screen();
  const work = async () => {
    await shown(log);
    throw new Error('no disk');
  };
  await expect(withProgress('Building', work, { screen: log, quietMs: 0 })).rejects.toThrow('no disk');
  expect(log.written.at(-1)).toMatch(/^✗ Building · \d+ s\n$/);
});

test('a terminal gets one line that stays within its width', async () => {
  const terminal = screen(true);
  const work = async (detail: (line: string) => void) => {
    detail('x'.repeat(500));
    await shown(terminal);
  };
  await withProgress('Building', work, { screen: terminal, quietMs: 0 });
  expect(terminal.written[0]?.replace('\r\x1b[2K', '')).toHaveLength(59);
});
