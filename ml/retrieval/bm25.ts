/** BM25 (Robertson and Zaragoza 2009) over tokens in memory: for mining and as a feature, not for serving. */

const K1 = 1.2;
const B = 0.75;

export class Bm25 {
  readonly documents: number;
  /** Per token: document, frequency, document, frequency, … */
  readonly #postings = new Map<string, number[]>();
  readonly #norms: Float64Array;

  constructor(documents: readonly (readonly string[])[]) {
    this.documents = documents.length;
    for (const [row, tokens] of documents.entries()) {
      for (const token of tokens) {
        const list = this.#postings.get(token) ?? [];
        if (list.length === 0) this.#postings.set(token, list);
        if (list.at(-2) === row) list[list.length - 1] = (list.at(-1) ?? 0) + 1;
        else list.push(row, 1);
      }
    }
    const all = documents.reduce((sum, { length }) => sum + length, 0);
    const average = Math.max(1, all) / Math.max(1, documents.length);
    this.#norms = Float64Array.from(documents, ({ length }) => K1 * (1 - B + (B * length) / average));
  }

  /** Never below 0, so that a word in most documents does not count against those that hold it. */
  idf(token: string): number {
    const holding = (this.#postings.get(token)?.length ?? 0) / 2;
    return holding === 0 ? 0 : Math.log(1 + (this.documents - holding + 0.5) / (holding + 0.5));
  }

  /** The score of every document; a word that is asked twice counts once. */
  scores(query: readonly string[]): Float32Array {
    const scores = new Float64Array(this.documents);
    for (const token of new Set(query)) {
      const list = this.#postings.get(token) ?? [];
      const idf = this.idf(token);
      for (let at = 0; at < list.length; at += 2) {
        const row = list[at] as number;
        const frequency = list[at + 1] as number;
        const norm = this.#norms[row] as number;
        scores[row] = (scores[row] as number) + (idf * frequency * (K1 + 1)) / (frequency + norm);
      }
    }
    return Float32Array.from(scores);
  }
}
