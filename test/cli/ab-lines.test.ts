import { describe, expect, test } from 'vitest';
import { changesBetween, chartLines, liveLine } from '../../cli/ab-lines.ts';
import { chart, scaleOf, sparkline } from '../../cli/sparkline.ts';
import { render } from '../../cli/text.ts';
import type { AbPoint } from '../../contracts/ab.ts';
import type { AbStatus } from '../../contracts/ab-messages.ts';
import { weekAb } from '../support/ab.ts';

describe('a chart in one line', () => {
  test('goes from the least to the most, and is written with what every terminal knows where that is wished', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7], { plain: true })).toBe('_.-=+*#@');
  });

  test('leaves what is not known, or not a number, empty', () => {
    expect(sparkline([0, null, Number.NaN, 7])).toBe('▁  █');
    expect(sparkline([null, null])).toBe('  ');
  });

  test('has everything in its middle where all values are the same', () => {
    expect(sparkline([3, 3])).toBe('▅▅');
  });

  test('is no wider than there is room: values that fall together are drawn as their mean', () => {
    const many = Array.from({ length: 100 }, (_, n) => n);
    expect(sparkline(many, { width: 4 })).toBe('▁▃▆█');
    expect(sparkline([1, null, null, null], { width: 2 })).toBe('▅ ');
  });

  test('stands on the scale that is given, and what is beyond it at its ends', () => {
    expect(sparkline([-5, 5, 50], { scale: { from: 0, to: 10 } })).toBe('▁▅█');
    expect(scaleOf([1, null], [7])).toEqual({ from: 1, to: 7 });
    expect(scaleOf([null], [])).toBeNull();
  });

  test('says its scale', () => {
    expect(chart([1, 2], (value) => `${value} ms`)).toBe('1 ms ▁█ 2 ms');
    expect(chart([null], String)).toBe('');
  });
});

const point = (value: number, at = '2026-11-21T12:00:00.000Z'): AbPoint => ({
  ...{ at, share: 0.1, subjects: 100, decision: 'go on' },
  gain: { value, low: value - 0.02, high: value + 0.02 },
});
const status = (news: Partial<AbStatus> = {}): AbStatus => ({
  ...{
    service: 'docs',
    cycle: 'si_2026_11_21_001',
    workflowId: 'w',
    experiment: '0.1',
    champion: 'a',
    challenger: 'b',
  },
  ...{ state: 'running', paused: false, plan: weekAb, expectation: null, outlook: null, startedAt: null },
  phase: { nth: 3, of: 5, share: 0.1, since: '2026-11-21T12:00:00.000Z' },
  ...{
    finding: null,
    looked: 0,
    lookedAt: null,
    nextLookAt: null,
    looks: [],
    trouble: null,
    question: null,
    end: null,
  },
  ...news,
});
const texts = (lines: ReturnType<typeof changesBetween>) => lines.map((line) => render(line, false));

test('the gain is drawn between the ends of its interval, on one scale that holds zero', () => {
  const lines = texts(chartLines(status({ looks: [point(0.01), point(0.03)] })));
  expect(lines[0]).toBe('ndcg, looks 1 to the last, from −1 % to +5 %:');
  expect(lines.slice(1).map((line) => line.split(/ +/))).toEqual([
    ['highest', '▆█', '+5', '%'],
    ['gain', '▃▆', '+3', '%'],
    ['lowest', '▁▃', '+1', '%'],
  ]);
  expect(chartLines(status())).toEqual([]);
});

test('the line that is redrawn holds share, gain and interval', () => {
  expect(liveLine(status({ looks: [point(0.01), point(0.03)] }), { plain: true })).toBe(
    '##.................. 10 %  ndcg _@  +3 % (+1 % to +5 %)',
  );
  expect(liveLine(status({ phase: null, paused: true }))).toContain('starting  paused');
});

test('only what is new is told', () => {
  const finding = { sentence: 'It goes on.' } as AbStatus['finding'];
  const first = status({ finding, looked: 1 });
  expect(texts(changesBetween(null, first, 0))).toEqual(['share    10 %', 'look 1   It goes on.']);
  expect(changesBetween(first, first, 0)).toEqual([]);
  const paused = status({ finding, looked: 2, paused: true, trouble: 'no disk' });
  expect(texts(changesBetween(first, paused, 0))).toEqual(['look 2   It goes on.', 'no look  no disk', 'paused']);
  expect(texts(changesBetween(paused, status({ finding, looked: 2 }), 0))).toEqual(['goes on']);
});
