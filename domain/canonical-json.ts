/**
 * One text for one value: keys sorted, no white space, absent and undefined alike. Digests are taken over it, so two
 * programs that mean the same say the same. Numbers that JSON cannot hold are refused instead of becoming null.
 */
export const canonicalJson = (value: unknown): string => {
  const text = JSON.stringify(value, sorted);
  if (text === undefined) throw new TypeError(`JSON cannot hold ${String(value)}`);
  return text;
};

const sorted = (key: string, value: unknown): unknown => {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new TypeError(`JSON cannot hold ${value} at "${key}"`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
};
