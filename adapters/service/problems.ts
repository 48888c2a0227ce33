/** Turns what the schema says about a value into what a person can act on. */
import { z } from 'zod';
import type { KeyPath, Problem, YamlFile } from './yaml.ts';

type Issue = z.core.$ZodIssue;
interface Shape {
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly additionalProperties?: Shape | boolean;
  readonly propertyNames?: { readonly enum?: readonly string[] };
  readonly items?: Shape;
}

export function problemsOf(issues: readonly Issue[], file: YamlFile, schema: z.ZodType): Problem[] {
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape;
  return issues.flatMap((issue): Problem[] => {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        line: file.lineOfKey(issue.path, key),
        text: `${dotted([...issue.path, key])}: ${unknownKey(key, keysAt(shape, issue.path))}`,
      }));
    }
    const found = at(file.value, issue.path);
    const text = `${dotted(issue.path)}: expected ${expected(issue)}, found ${mayHoldSecret(issue.path, found) ? 'something else' : shown(found)}`;
    return [{ line: file.lineOf(issue.path), text }];
  });
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return `one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'some text'
        : `a number ${issue.inclusive ? 'of at least' : 'greater than'} ${issue.minimum}`;
    case 'too_big':
      return `a number ${issue.inclusive ? 'of at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_format':
      return issue.message.startsWith('Invalid') ? `text that matches ${issue.pattern}` : issue.message;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};

function unknownKey(key: string, known: readonly string[]): string {
  const near = known.filter((name) => isNear(key, name));
  const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known here: ${known.join(', ')}`;
  return `there is no such key; ${hint}`;
}

/** The keys that the schema knows in the map at `path`. */
function keysAt(shape: Shape, path: KeyPath): readonly string[] {
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(shape.properties ?? {}).concat(shape.propertyNames?.enum ?? []);
  const inside =
    typeof first === 'number' ? shape.items : (shape.properties?.[String(first)] ?? shape.additionalProperties);
  return typeof inside === 'object' ? keysAt(inside, rest) : [];
}

/** At most two letters apart, or the same letters but for capitals, dashes and order. */
function isNear(a: string, b: string): boolean {
  const letters = (text: string): string => [...text.toLowerCase().replaceAll(/[-_]/g, '')].sort().join('');
  return letters(a) === letters(b) || distance(a, b) <= Math.min(2, Math.floor(b.length / 3));
}

/** Levenshtein's, one row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

const at = (value: unknown, path: KeyPath): unknown =>
  path.reduce<unknown>(
    (inside, key) => (inside && typeof inside === 'object' ? (inside as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );

const dotted = (path: KeyPath): string => (path.length === 0 ? 'the file' : path.map(String).join('.'));

/** What is wrong with a file may end up in a history or a log: what could be a secret that was written down is not shown. */
const mayHoldSecret = (path: KeyPath, found: unknown): boolean =>
  (SECRETS_IN.some((key) => path.includes(key)) && !HARMLESS.some((key) => path.includes(key))) ||
  (JSON.stringify(found) ?? '').includes('"secret"');
const SECRETS_IN = ['notify', 'router', 'hooks'];
const HARMLESS = ['events', 'allow', 'at', 'timeout', 'decides'];

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
