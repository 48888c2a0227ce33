/** Which facts a question must bring, read from the schema, so that a missing one is named and not only refused. */
import type { SchemaJson, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';

/** The facts of one action, or of one record in them: whether each must be there, and what is in it. */
export type FactShape = ReadonlyMap<string, { readonly required: boolean; readonly within: FactShape | null }>;
export type Facts = Readonly<Record<string, unknown>>;

export const factsOf = (schema: SchemaJson<string>): ReadonlyMap<string, FactShape> =>
  new Map(
    Object.entries(schema['']?.actions ?? {}).map(([action, { appliesTo }]) => [
      action,
      shapeOf(appliesTo?.context) ?? new Map(),
    ]),
  );

/** `Person`, `Key`: who can ask for an action, by type. */
export const askersOf = (schema: SchemaJson<string>): ReadonlyMap<string, readonly string[]> =>
  new Map(
    Object.entries(schema['']?.actions ?? {}).map(([action, { appliesTo }]) => [
      action,
      appliesTo?.principalTypes ?? [],
    ]),
  );

const shapeOf = (type: unknown): FactShape | null => {
  const { attributes } = (type ?? {}) as { attributes?: Record<string, TypeOfAttribute<string>> };
  if (attributes === undefined) return null;
  return new Map(
    Object.entries(attributes).map(([name, of]) => [name, { required: of.required !== false, within: shapeOf(of) }]),
  );
};

/** What is null is not known, and so is not there. */
export const known = (facts: Facts): Facts =>
  Object.fromEntries(
    Object.entries(facts)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, isRecord(value) ? known(value) : value]),
  );

/** `used.cycles`: what must be there and is not. */
export const missing = (shape: FactShape, facts: Facts, path = ''): readonly string[] =>
  [...shape].flatMap(([name, { required, within }]) => {
    const value = facts[name];
    if (value === undefined) return required ? [`${path}${name}`] : [];
    return within !== null && isRecord(value) ? missing(within, value, `${path}${name}.`) : [];
  });

/** What no policy could ever look at: a misspelled fact must not pass as one that was left out. */
export const unknown = (shape: FactShape, facts: Facts, path = ''): readonly string[] =>
  Object.entries(facts).flatMap(([name, value]) => {
    const of = shape.get(name);
    if (!of) return [`${path}${name}`];
    return of.within !== null && isRecord(value) ? unknown(of.within, value, `${path}${name}.`) : [];
  });

/** Fills `{used.cycles}` in a policy's sentence. */
export const sentence = (because: string, facts: Facts): string =>
  because.replaceAll(/\{([\w.]+)\}/g, (_, path: string) => {
    const value = path.split('.').reduce<unknown>((at, name) => (isRecord(at) ? at[name] : undefined), facts);
    return value === undefined ? '(not known)' : Array.isArray(value) ? value.join(', ') : String(value);
  });

const isRecord = (value: unknown): value is Facts =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
