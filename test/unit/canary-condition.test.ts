import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MeasuredValue } from '../../contracts/canary.ts';
import { PawlError } from '../../contracts/failures.ts';
import { holds, type Measured, parseCondition, truthOf } from '../../domain/canary/condition.ts';
import { LONGEST_CONDITION } from '../../domain/canary/condition-tokens.ts';

const of = (value: number | null, over: Partial<MeasuredValue> = {}): MeasuredValue => ({
  value,
  low: value,
  high: value,
  n: 100,
  ...over,
});
const measured: Measured = {
  result: of(120, { low: 110, high: 131 }),
  baseline: of(100, { low: 95, high: 104, n: 900 }),
};
const said = (text: string, about = measured) => truthOf(parseCondition(text), about);

describe('a condition is read as a person means it', () => {
  test.each([
    ['result > 100', true],
    ['result.value == 120', true],
    ['result != 120', false],
    ['result.low > 1.1 * baseline.high', false],
    ['result.low > 1.05 * baseline.high', true],
    ['result.n >= 100 and baseline.n == 900', true],
    ['result < 100 or baseline < 101', true],
    ['not result < 100', true],
    ['not (result > 100 and baseline > 100)', true],
    ['result - baseline - 10 == 10', true],
    ['2 + 3 * 4 == 14', true],
    ['(2 + 3) * 4 == 20', true],
    ['8 / 4 / 2 == 1', true],
    ['-2 * -3 == 6', true],
    ['- - 2 == 2', true],
    ['abs(baseline - result) == 20', true],
    ['max(result, baseline, 7) == 120 and min(result, baseline) == 100', true],
    ['3% == 0.03 and 4.1% == 0.041 and 97% * baseline == 97', true],
    ['250ms == 250 and 2s == 2000 and 1.5s == 1500', true],
    ['1e3 == 1000 and 1.2E-3 == .0012 and 1e2% == 1', true],
    ['result>100 or(1==2)', true],
    ['1 == 2 or 1 == 1 and 1 == 2', false],
    ['not 1 == 2 and 1 == 2', false],
    ['\n  result\t> (( 100 ))', true],
  ])('%s is %s', (text, expected) => {
    expect(said(text)).toBe(expected);
  });
});

describe('what is missing holds no more than its opposite', () => {
  const nothing: Measured = { result: of(1, { low: null }), baseline: null };
  test.each([
    'baseline > 0',
    'not baseline > 0',
    'baseline == baseline',
    'result == 1 or baseline > 0',
    'result == 2 and baseline > 0',
    'result.low <= 5',
    'result.low != 5',
    'result / 0 > 1',
    'not 0 / 0 > 1',
    '1e308 * 10 > 1',
    'max(1, baseline) > 0',
    'abs(baseline) * 0 == 0',
  ])('%s', (text) => {
    expect(said(text, nothing)).toBe('missing');
    expect(holds(parseCondition(text), nothing)).toBe(false);
  });

  test('a value that is not a number is missing, whoever passed it on', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, undefined as unknown as number]) {
      expect(said('result > 0 or result <= 0', { result: of(value), baseline: null })).toBe('missing');
    }
  });
});

describe('what is no condition is refused, with its place', () => {
  test.each([
    ['', 1, 'found the end'],
    ['result', 1, 'expected a statement, found a number'],
    ['result >', 9, 'found the end'],
    ['result > 1 2', 12, 'expected the end, found "2"'],
    ['result > 1 and', 15, 'found the end'],
    ['result and result > 1', 1, 'expected a statement, found a number'],
    ['(result > 1) + 1 > 1', 1, 'expected a number, found a statement'],
    ['1 < result < 2', 12, 'two values are compared at a time'],
    ['result > 5m', 11, '"m" is no unit'],
    ['result > 5%%', 12, '"%" means nothing here'],
    ['result.p95 > 5', 8, 'expected value, low, high or n, found "p"'],
    ['result > errors', 10, '"errors" is not known'],
    ['result > constructor', 10, '"constructor" is not known'],
    ['result && result', 8, '"&" means nothing here'],
    ['result = 1', 8, '"=" means nothing here'],
    ['(result > 1', 12, 'expected ")", found the end'],
    ['abs(1, 2) > 1', 4, 'abs takes one value, found 2'],
    ['abs() > 1', 5, 'found ")"'],
    ['result > 1e999', 10, 'too large'],
    ['result > "1"', 10, 'means nothing here'],
    [`${'('.repeat(40)}result > 1${')'.repeat(40)}`, 34, 'more than 32 deep'],
    [`${'not '.repeat(40)}result > 1`, 133, 'more than 32 deep'],
    [`result > ${'1'.repeat(LONGEST_CONDITION)}`, LONGEST_CONDITION + 1, '509 characters long'],
  ])('%s', (text, at, because) => {
    const why = expect.objectContaining({ type: 'ConfigInvalid', hint: expect.any(String) });
    expect(() => parseCondition(text)).toThrow(why);
    expect(() => parseCondition(text)).toThrow(`at ${at}: `);
    expect(() => parseCondition(text)).toThrow(because);
  });

  test('whatever is written, it is a condition or ConfigInvalid, and a condition has an answer', () => {
    const words = fc.constantFrom(
      ...['result', 'baseline', '.low', '.n', '+', '-', '*', '/', '<', '>=', '==', '(', ')', ',', 'and', 'or', 'not'],
      ...['abs', 'min', '3%', '250ms', '2s', '1e9', '0', ' ', '!', '__proto__', '💥', '\u0000'],
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.array(words).map((some) => some.join(' ')),
    );
    const conditions = fc.property(text, (written) => {
      try {
        expect([true, false, 'missing']).toContain(said(written));
      } catch (error) {
        expect(error).toBeInstanceOf(PawlError);
        expect((error as PawlError).type).toBe('ConfigInvalid');
      }
    });
    fc.assert(conditions, { numRuns: 2_000 });
  });
});

/** A tree, how it is written, and what it comes to by another way of reckoning: numbers in which NaN is what is missing. */
interface Sample {
  readonly text: string;
  readonly value: (about: Measured) => number;
}
type Signs = Readonly<Record<string, (a: number, b: number) => number>>;
const number = (value: number | null | undefined): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN;
const { statement } = fc.letrec<{ quantity: Sample; statement: Sample }>((tie) => {
  const leaf = fc.oneof(
    fc.integer({ min: 0, max: 50 }).map((value) => ({ text: `${value}`, value: () => value })),
    fc.integer({ min: 0, max: 50 }).map((value) => ({ text: `${value}%`, value: () => Number(`${value}e-2`) })),
    fc
      .tuple(fc.constantFrom('result', 'baseline'), fc.constantFrom('value', 'low', 'high', 'n'))
      .map(([side, field]) => ({
        text: `${side}.${field}`,
        value: (about: Measured) => number(about[side as 'result']?.[field as 'value']),
      })),
  );
  const two = (signs: Signs, parts: fc.Arbitrary<Sample>) =>
    fc.tuple(parts, fc.constantFrom(...Object.keys(signs)), parts).map(([a, sign, b]) => ({
      text: `(${a.text} ${sign} ${b.text})`,
      value: (about: Measured) => number(signs[sign]?.(a.value(about), b.value(about))),
    }));
  const arithmetic: Signs = {
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / b,
  };
  const compare = (is: (a: number, b: number) => boolean) => (a: number, b: number) =>
    Number.isNaN(a + b) ? Number.NaN : Number(is(a, b));
  const comparisons = {
    '<': compare((a, b) => b > a),
    '<=': compare((a, b) => !(a > b)),
    '>': compare((a, b) => b < a),
    '>=': compare((a, b) => !(a < b)),
    '==': compare((a, b) => !(a < b || a > b)),
    '!=': compare((a, b) => a < b || a > b),
  };
  return {
    quantity: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      leaf,
      two(arithmetic, tie('quantity')),
      tie('quantity').map((a) => ({ text: `abs(${a.text})`, value: (about: Measured) => Math.abs(a.value(about)) })),
      tie('quantity').map((a) => ({ text: `-${a.text}`, value: (about: Measured) => 0 - a.value(about) })),
      fc.array(tie('quantity'), { minLength: 1, maxLength: 3 }).map((some) => ({
        text: `max(${some.map(({ text }) => text).join(',')})`,
        value: (about: Measured) => Math.max(...some.map(({ value }) => value(about))),
      })),
    ),
    statement: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      two(comparisons, tie('quantity')),
      two({ and: (a, b) => a * b, or: (a, b) => a + b - a * b }, tie('statement')),
      tie('statement').map((a) => ({ text: `not ${a.text}`, value: (about: Measured) => 1 - a.value(about) })),
    ),
  };
});

test('a condition comes to what a reference comes to', () => {
  const value = fc.option(fc.integer({ min: -5, max: 50 }));
  const one = fc.option(fc.record({ value, low: value, high: value, n: fc.integer({ min: 0, max: 50 }) }));
  const agree = fc.property(statement, one, one, (sample, result, baseline) => {
    fc.pre(sample.text.length <= LONGEST_CONDITION);
    const about = { result, baseline };
    const expected = sample.value(about);
    expect(truthOf(parseCondition(sample.text), about)).toBe(Number.isNaN(expected) ? 'missing' : expected === 1);
  });
  fc.assert(agree, { numRuns: 3_000 });
});
