import { describe, expect, test } from 'vitest';
import { jsonLine } from '../../cli/output.ts';
import { bad, bold, clean, percent, relative, render, short, span, table } from '../../cli/text.ts';

describe('abuse 39: data cannot drive the terminal', () => {
  test.each([
    ['a colour', '\u001b[31mred\u001b[0m', 'red'],
    ['a title of the window', '\u001b]0;owned\u0007name', 'name'],
    ['a new line that fakes a second row', 'one\ntwo', 'one two'],
    ['a carriage return that hides the start', 'evil\rgood', 'evil good'],
    ['a control of the upper half', 'a\u009b2Jb', 'ab'],
    ['a turn of direction', 'user\u202etxt.exe', 'user txt.exe'],
    ['a bell and a backspace', 'a\u0007\u0008b', 'a b'],
    ['plain text in any language', 'Größe – 大きさ', 'Größe – 大きさ'],
  ])('%s', (_, given, shown) => {
    expect(clean(given)).toBe(shown);
    expect(render([bold(given)], false)).toBe(shown);
    expect(render(given, false)).toBe(shown);
  });

  test('what a style adds is the only control sequence of a line', () => {
    expect(render([bad('\u001b[2Jx'), ' y'], true)).toBe('\u001b[31mx\u001b[39m y');
  });

  test('JSON carries no raw control character, and means the same', () => {
    const value = { reason: 'a\u009b2J\u001b[31m\u2028b' };
    expect(jsonLine(value)).not.toMatch(/[\p{Cc}\u2028]/u);
    expect(JSON.parse(jsonLine(value))).toEqual(value);
  });
});

describe('what people read', () => {
  test.each([
    [0, '0 ms'],
    [850, '850 ms'],
    [4_250, '4.2 s'],
    [59_900, '59 s'],
    [185_000, '3 min 5 s'],
    [7_200_000, '2 h'],
    [187_200_000, '2 d 4 h'],
  ])('%i ms read as %s', (ms, text) => expect(span(ms)).toBe(text));

  test('moments are told from now', () => {
    const now = Date.parse('2026-11-21T12:00:00Z');
    expect(relative('2026-11-21T11:57:00Z', now)).toBe('3 min ago');
    expect(relative('2026-11-21T14:00:00Z', now)).toBe('in 2 h');
  });

  test('columns are as wide as what is seen of their widest cell', () => {
    const rows = table([
      ['cycle', 'state'],
      [bold('si_1'), 'done'],
      ['a longer one', null],
    ]);
    expect(rows.map((row) => render(row, false))).toEqual([
      'cycle         state',
      'si_1          done',
      'a longer one  –',
    ]);
  });

  test('shares and digests are short', () => {
    expect([percent(0.125), percent(1), short('0123456789abcdef'), short(null)]).toEqual([
      '12.5 %',
      '100 %',
      '0123456789ab',
      '–',
    ]);
  });
});
