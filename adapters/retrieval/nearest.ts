import type { Metadata } from '../../contracts/retrieval.ts';

export interface SpaceDocument {
  readonly id: string;
  readonly metadata: Metadata;
}
export interface Entry {
  readonly key: number;
  readonly document: SpaceDocument;
  /** Where its vector lies. */
  readonly slot: number;
  alive: boolean;
}
export interface Near {
  readonly entry: Entry;
  readonly score: number;
}

/** The best so far, by insertion: most fall at the first comparison. */
export class Best {
  readonly found: Near[] = [];
  readonly #limit: number;
  #least = Number.NEGATIVE_INFINITY;

  constructor(limit: number) {
    this.#limit = limit;
  }

  offer(entry: Entry, score: number): void {
    if (score < this.#least || this.#limit === 0) return;
    const { found } = this;
    let place = found.length;
    for (let above = found[place - 1]; above !== undefined && isBefore(entry, score, above); above = found[place - 1]) {
      place--;
    }
    if (place >= this.#limit) return;
    found.splice(place, 0, { entry, score });
    if (found.length > this.#limit) found.pop();
    if (found.length === this.#limit) this.#least = found.at(-1)?.score ?? this.#least;
  }
}

const isBefore = (entry: Entry, score: number, other: Near): boolean =>
  score > other.score || (score === other.score && entry.key < other.entry.key);
