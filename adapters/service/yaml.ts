/** YAML as pawl.yaml may use it: plain maps, lists and scalars, each with its place in the file. */
import { type Document, isMap, isScalar, LineCounter, type Pair, parseDocument, visit } from 'yaml';

/** Something wrong at a place in the file. */
export interface Problem {
  readonly line: number;
  readonly text: string;
}
export type KeyPath = readonly PropertyKey[];

export interface YamlFile {
  readonly value: unknown;
  /** Line of a value, or of the nearest thing around it that is written in the file. */
  lineOf(path: KeyPath): number;
  /** Line of a key inside the map at `path`. */
  lineOfKey(path: KeyPath, key: string): number;
}

const MOST_CHARACTERS = 200_000;
const MOST_ALIASES = 100;
/** Names that mean something to every JavaScript object. */
const RESERVED = new Set(['__proto__', 'constructor', 'prototype']);

/** Either the file or everything that is wrong with its form. */
export function readYaml(text: string): YamlFile | readonly Problem[] {
  if (text.length > MOST_CHARACTERS) return [{ line: 1, text: `expected at most ${MOST_CHARACTERS} characters` }];
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
    const lineAt = (offset: number | undefined): number => lines.linePos(offset ?? 0).line || 1;
    const problems: Problem[] = [...document.errors, ...document.warnings].map(({ pos, code, message }) => ({
      line: lineAt(pos[0]),
      text: code === 'DUPLICATE_KEY' ? `${keyAt(text, pos[0])}: this key is there twice` : message,
    }));
    if (problems.some(({ text: message }) => message.includes('call stack'))) {
      return [{ line: 1, text: 'expected a few levels of nesting, found far too many' }];
    }
    visit(document, {
      Pair: (_, { key }) => {
        if (isScalar(key) && RESERVED.has(String(key.value))) {
          problems.push({ line: lineAt(key.range?.[0]), text: `${String(key.value)} cannot be a key` });
        }
      },
    });
    if (problems.length > 0) return problems;
    return {
      value: document.toJS({ maxAliasCount: MOST_ALIASES }),
      lineOf: (path) => lineAt(nearest(document, path)),
      lineOfKey: (path, key) => lineAt(keyOffset(document, path, key) ?? nearest(document, path)),
    };
  } catch (error) {
    // Aliases that multiply: the parser's own limit.
    return [{ line: 1, text: error instanceof Error ? error.message : String(error) }];
  }
}

const keyAt = (text: string, offset: number): string => /[^:\n]*/.exec(text.slice(offset))?.[0].trim() ?? '';

/** Where a value is written, or else the key that leads to where it is missing. */
function nearest(document: Document, path: KeyPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const inside = path.slice(0, length - 1);
    const last = path[length - 1];
    const offset =
      typeof last === 'number'
        ? valueOffset(document, path.slice(0, length))
        : keyOffset(document, inside, String(last));
    if (offset !== undefined) return offset;
  }
  return undefined;
}

function valueOffset(document: Document, path: KeyPath): number | undefined {
  const node = document.getIn(path, true);
  return node && typeof node === 'object' && 'range' in node ? (node.range as [number] | undefined)?.[0] : undefined;
}

function keyOffset(document: Document, path: KeyPath, key: string): number | undefined {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}
