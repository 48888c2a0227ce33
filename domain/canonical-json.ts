/**
 * One text for one value: keys sorted by their UTF-16 units, no white space, absent and undefined alike, numbers as
 * ECMAScript writes them (RFC 8785). Digests are taken over it, so two programs that mean the same say the same. Numbers
 * that JSON cannot hold are refused instead of becoming null.
 */
export const canonicalJson = (value: unknown): string => {
  const text = textOf(value, '');
  if (text === undefined) throw new TypeError(`JSON cannot hold ${String(value)}`);
  return text;
};

/** undefined where JSON leaves the value out. Each row of an audited ledger comes through here: hence the plain loops. */
const textOf = (value: unknown, key: string): string | undefined => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return String(value);
    throw new TypeError(`JSON cannot hold ${value} at "${key}"`);
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('toJSON' in value && typeof value.toJSON === 'function') return textOf(value.toJSON(key), key);
  return Array.isArray(value) ? arrayText(value) : objectText(value as Record<string, unknown>);
};

const arrayText = (values: readonly unknown[]): string => {
  let text = '';
  for (let at = 0; at < values.length; at += 1) {
    text += `${at === 0 ? '[' : ','}${textOf(values[at], String(at)) ?? 'null'}`;
  }
  return text === '' ? '[]' : `${text}]`;
};

/** Not through a sorted object: that would put keys that look like numbers first. */
const objectText = (value: Record<string, unknown>): string => {
  let text = '';
  for (const key of sorted(Object.keys(value))) {
    const field = textOf(value[key], key);
    if (field !== undefined) text += `${text === '' ? '{' : ','}${JSON.stringify(key)}:${field}`;
  }
  return text === '' ? '{}' : `${text}}`;
};

const sorted = (keys: string[]): readonly string[] => {
  for (let at = 1; at < keys.length; at += 1) if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return keys.sort();
  return keys;
};
