/** Puts the tokens of texts after one another, with their special tokens around them. */
import type { Template } from './template.ts';

export interface Packed {
  readonly ids: Int32Array;
  readonly lengths: Int32Array;
  readonly types: Int32Array;
}

/** `rows`: for each row the token ids of its texts, already as short as they must be. */
export const pack = (rows: readonly (readonly (readonly number[])[])[], template: Template): Packed => {
  const lengths = Int32Array.from(rows, (texts) => texts.reduce((sum, text) => sum + text.length, template.added));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const ids = new Int32Array(total);
  const types = new Int32Array(total);
  let at = 0;
  const put = (id: number, type: number): void => {
    ids[at] = id;
    types[at++] = type;
  };
  for (const texts of rows) {
    template.around.forEach((specials, position) => {
      for (const { id, type } of specials) put(id, type);
      for (const id of texts[position] ?? []) put(id, template.types[position] ?? 0);
    });
  }
  return { ids, lengths, types };
};
