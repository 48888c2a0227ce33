/**
 * Whether a document's metadata is what a filter asks for.
 *
 * 1. Types are part of a value: "1", 1 and true are three values, and nothing is turned into another to make it fit.
 * 2. A name that the metadata does not have meets no condition.
 * 3. Both ends of a range belong to it. A range holds numbers only, one without ends all of them.
 */
import type { Metadata, MetadataFilter } from '../contracts/retrieval.ts';

type Value = Metadata[string];
type Condition = MetadataFilter[string];

export const matches = (metadata: Metadata, filter: MetadataFilter): boolean =>
  Object.entries(filter).every(([name, condition]) => {
    // `constructor` is a name that anyone may ask for, and that every object answers to.
    const value = Object.hasOwn(metadata, name) ? metadata[name] : undefined;
    return value !== undefined && meets(value, condition);
  });

function meets(value: Value, condition: Condition): boolean {
  if (typeof condition !== 'object') return value === condition;
  if ('in' in condition) return condition.in.some((one) => one === value);
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = condition;
  return typeof value === 'number' && value >= from && value <= to;
}
