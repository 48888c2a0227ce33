/**
 * Conditions over a measurement: `result.low > 1.1 * baseline.high and result.n >= 100`.
 *
 * 1. A text is a condition, or an error that names the place; its length and its depth are bounded.
 * 2. Whatever has a part that is missing or not finite is missing, in whichever branch it stands. What is missing does not
 *    hold, and neither does its opposite.
 * 3. Numbers and statements are told apart when the text is read: `result and 3` and `1 < result < 2` are errors.
 */
import type { MeasuredValue } from '../../contracts/canary.ts';
import { conditionError, type Token, tokensOf } from './condition-tokens.ts';

const FIELDS = ['value', 'low', 'high', 'n'] as const;
const SIDES = ['result', 'baseline'] as const;
type Side = (typeof SIDES)[number];

/** What a condition is about; null where nothing was measured. */
export type Measured = Readonly<Record<Side, MeasuredValue | null>>;

type Quantity =
  | { readonly is: 'number'; readonly value: number }
  | { readonly is: 'measured'; readonly side: Side; readonly field: (typeof FIELDS)[number] }
  | { readonly is: 'reckoned'; readonly by: string; readonly of: readonly Quantity[] };
export type Condition =
  | { readonly is: 'compared'; readonly by: string; readonly of: readonly [Quantity, Quantity] }
  | { readonly is: 'joined'; readonly by: 'and' | 'or' | 'not'; readonly of: readonly Condition[] };

const RECKONED: Readonly<Record<string, (...values: number[]) => number>> = {
  '+': (a = 0, b = 0) => a + b,
  '-': (a = 0, b = 0) => a - b,
  '*': (a = 0, b = 0) => a * b,
  '/': (a = 0, b = 0) => a / b,
  minus: (a = 0) => -a,
  abs: (a = 0) => Math.abs(a),
  min: (...values) => Math.min(...values),
  max: (...values) => Math.max(...values),
};
const COMPARED: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
};
const JOINED: Readonly<Record<'and' | 'or' | 'not', (truths: readonly boolean[]) => boolean>> = {
  and: (truths) => truths.every(Boolean),
  or: (truths) => truths.some(Boolean),
  not: ([truth]) => !truth,
};

/** Whether it is so; `missing` where that cannot be said. */
export const truthOf = (condition: Condition, measured: Measured): boolean | 'missing' => {
  if (condition.is === 'compared') {
    const [a, b] = condition.of.map((quantity) => quantityOf(quantity, measured));
    return a == null || b == null ? 'missing' : (COMPARED[condition.by]?.(a, b) ?? 'missing');
  }
  const truths = condition.of.map((part) => truthOf(part, measured));
  const known = truths.filter((truth) => truth !== 'missing');
  return known.length < truths.length ? 'missing' : JOINED[condition.by](known);
};

export const holds = (condition: Condition, measured: Measured): boolean => truthOf(condition, measured) === true;

const quantityOf = (quantity: Quantity, measured: Measured): number | null => {
  if (quantity.is === 'number') return quantity.value;
  if (quantity.is === 'measured') return finite(measured[quantity.side]?.[quantity.field]);
  const values = quantity.of.map((part) => quantityOf(part, measured));
  const known = values.filter((value) => value !== null);
  return known.length < values.length ? null : finite(RECKONED[quantity.by]?.(...known));
};

const finite = (value: number | null | undefined): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

const DEEPEST = 32;
/** From the loosest to the tightest. */
const LEVELS = [
  ['+', '-'],
  ['*', '/'],
] as const;
/** How many values each takes. */
const FUNCTIONS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  abs: [1, 1],
  min: [1, 20],
  max: [1, 20],
};

type Part =
  | { readonly sort: 'number'; readonly at: number; readonly part: Quantity }
  | { readonly sort: 'statement'; readonly at: number; readonly part: Condition };

/** Throws ConfigInvalid where the text is no condition. */
export const parseCondition = (text: string): Condition => {
  const tokens = tokensOf(text);
  let next = 0;
  let depth = 0;

  const token = (): Token => tokens[Math.min(next, tokens.length - 1)] as Token;
  const fail = (at: number, what: string, hint: string): never => {
    throw conditionError(text, at, what, hint);
  };
  const unexpected = (wanted: string, hint: string): never => {
    const found = token().kind === 'end' ? 'the end' : JSON.stringify(token().text);
    return fail(token().at, `expected ${wanted}, found ${found}`, hint);
  };
  const take = (...texts: readonly string[]): string | null => {
    const { kind, text: found } = token();
    if ((kind !== 'sign' && kind !== 'word') || !texts.includes(found)) return null;
    next += 1;
    return found;
  };
  const need = (sign: string): void => {
    if (take(sign) === null) unexpected(JSON.stringify(sign), 'Brackets are closed, and a comma parts values.');
  };
  const number = (part: Part): Quantity =>
    part.sort === 'number'
      ? part.part
      : fail(part.at, 'expected a number, found a statement', 'Reckon with numbers; join statements by and, or, not.');
  const statement = (part: Part): Condition =>
    part.sort === 'statement'
      ? part.part
      : fail(part.at, 'expected a statement, found a number', 'Compare it with something: result > 0.5.');
  const nested = <T>(parse: () => T): T => {
    depth += 1;
    if (depth > DEEPEST) fail(token().at, `more than ${DEEPEST} deep`, 'Say it with fewer brackets.');
    const parsed = parse();
    depth -= 1;
    return parsed;
  };

  const joined = (by: 'and' | 'or', tighter: () => Part): Part => {
    const first = tighter();
    if (token().text !== by) return first;
    const of = [statement(first)];
    while (take(by) !== null) of.push(statement(tighter()));
    return { sort: 'statement', at: first.at, part: { is: 'joined', by, of } };
  };
  const anyOf = (): Part => joined('or', allOf);
  const allOf = (): Part => joined('and', negated);
  const negated = (): Part => {
    const { at } = token();
    if (take('not') === null) return compared();
    return { sort: 'statement', at, part: { is: 'joined', by: 'not', of: [statement(nested(negated))] } };
  };
  const compared = (): Part => {
    const first = reckoned(0);
    const by = take(...Object.keys(COMPARED));
    if (by === null) return first;
    const of = [number(first), number(reckoned(0))] as const;
    if (Object.hasOwn(COMPARED, token().text)) {
      fail(token().at, 'two values are compared at a time', 'Write 1 < result and result < 2.');
    }
    return { sort: 'statement', at: first.at, part: { is: 'compared', by, of } };
  };
  const reckoned = (level: number): Part => {
    const signs = LEVELS[level];
    if (signs === undefined) return signed();
    let left = reckoned(level + 1);
    for (let by = take(...signs); by !== null; by = take(...signs)) {
      const of = [number(left), number(reckoned(level + 1))];
      left = { sort: 'number', at: left.at, part: { is: 'reckoned', by, of } };
    }
    return left;
  };
  const signed = (): Part => {
    const { at } = token();
    if (take('-') === null) return single();
    return { sort: 'number', at, part: { is: 'reckoned', by: 'minus', of: [number(nested(signed))] } };
  };
  const single = (): Part => {
    const { kind, text: word, value, at } = token();
    if (take('(') !== null) {
      const inner = nested(anyOf);
      need(')');
      return { ...inner, at };
    }
    if (kind === 'number') {
      next += 1;
      return { sort: 'number', at, part: { is: 'number', value } };
    }
    if (kind !== 'word') return unexpected('a number, result or baseline', 'A condition reads like result > 0.5.');
    next += 1;
    const side = SIDES.find((one) => one === word);
    if (side !== undefined) return { sort: 'number', at, part: { is: 'measured', side, field: field() } };
    const takes = Object.hasOwn(FUNCTIONS, word) ? FUNCTIONS[word] : undefined;
    if (takes !== undefined) return { sort: 'number', at, part: { is: 'reckoned', by: word, of: values(word, takes) } };
    const hint = 'There are result and baseline with .value, .low, .high and .n; abs, min and max; and, or and not.';
    return fail(at, `${JSON.stringify(word)} is not known`, hint);
  };
  const field = (): (typeof FIELDS)[number] => {
    if (take('.') === null) return 'value';
    const found = FIELDS.find((one) => take(one) !== null);
    return found ?? unexpected('value, low, high or n', 'low and high are the ends of the interval, n the sample.');
  };
  const values = (name: string, [least, most]: readonly [number, number]): readonly Quantity[] => {
    const { at } = token();
    need('(');
    const of = [number(nested(anyOf))];
    while (take(',') !== null) of.push(number(nested(anyOf)));
    need(')');
    if (of.length >= least && of.length <= most) return of;
    const wanted = most === 1 ? 'one value' : `${least} to ${most} values`;
    return fail(at, `${name} takes ${wanted}, found ${of.length}`, `Write ${name}(result - baseline).`);
  };

  const whole = anyOf();
  if (token().kind !== 'end') unexpected('the end', 'Join statements by and or or; numbers by + - * /.');
  return statement(whole);
};
