import { PawlError } from '../../contracts/failures.ts';
import type { IndexedDocument } from './port.ts';

/** Half precision and quantised models round; more than this is no rounding. */
const ROUNDING = 0.01;

/** A vector is of its recipe's dimensions and of length 1, or refused; null belongs to a recipe without vectors. */
export function checkVector(whose: string, vector: Float32Array | null, dimensions: number | null): void {
  if (vector === null && dimensions === null) return;
  if (vector === null || dimensions === null) {
    const [expected, found] =
      vector === null ? [`${dimensions} numbers`, 'none'] : ['none', `${vector.length} numbers`];
    throw refused(`${whose}: expected a vector of ${expected}, found ${found}`);
  }
  if (vector.length !== dimensions) {
    throw refused(`${whose}: expected a vector of ${dimensions} numbers, found ${vector.length}`);
  }
  let square = 0;
  for (const number of vector) square += number * number;
  // Whatever is no number makes the sum none either.
  if (!(Math.abs(Math.sqrt(square) - 1) <= ROUNDING)) {
    const odd = vector.findIndex((number) => !Number.isFinite(number));
    throw refused(
      `${whose}: expected a vector of length 1, found ${odd < 0 ? `one of ${Math.sqrt(square)}` : `${vector[odd]} at place ${odd}`}`,
    );
  }
}

export function checkVectors(documents: readonly IndexedDocument[], dimensions: number | null): void {
  for (const { id, chunks } of documents) {
    for (const [place, { vector }] of chunks.entries()) checkVector(`Chunk ${place} of ${id}`, vector, dimensions);
  }
}

const refused = (message: string): PawlError =>
  new PawlError('Usage', message, {
    hint: 'Encode with the encoder that the index was made for; it gives vectors of this form. Nothing was changed.',
  });
