/**
 * Candidate synonyms: words worth searching beside a word of a query.
 *
 * From queries: a word that people ask with, and that a relevant document lacks, paired with what that document says
 * instead. From the corpus: words that keep company with a word of the queries more often than chance has it.
 * Both are counted over stems, scored by Dunning's log-likelihood ratio (1993), and named by their commonest spelling.
 */
import { stem } from './porter.ts';
import type { JudgedQuery } from './rank-metrics.ts';
import { words } from './tokens.ts';

export interface SynonymCandidate {
  readonly word: string;
  readonly synonyms: readonly string[];
  readonly score: number;
  readonly source: 'queries' | 'corpus';
}

export interface MiningInput {
  readonly documents: ReadonlyArray<{ readonly id: string; readonly words: readonly string[] }>;
  readonly queries: readonly JudgedQuery[];
  readonly most: number;
  /** Called now and then, for whoever wants to know that it goes on. */
  readonly tick?: () => void;
}

/** Words in more than this share of the documents say nothing about one of them. */
const COMMON_SHARE = 0.08;
const LEAST_TOGETHER = 2;
const LEAST_SCORE = 6.6; // p < 0.01 of χ² with one degree of freedom
const SYNONYMS_A_WORD = 3;

export function mineSynonyms({ documents, queries, most, tick = () => {} }: MiningInput): SynonymCandidate[] {
  const spelling = new Spellings();
  const stemmed = new Map(
    documents.map((doc) => {
      tick();
      return [doc.id, new Set(doc.words.map((word) => spelling.stemOf(word)))];
    }),
  );
  const frequency = new Map<string, number>();
  for (const stems of stemmed.values()) for (const one of stems) frequency.set(one, (frequency.get(one) ?? 0) + 1);
  const telling = (one: string): boolean =>
    one.length > 2 && !/^\d/.test(one) && (frequency.get(one) ?? 0) <= COMMON_SHARE * documents.length;

  const asked = queries.map((query) => ({
    stems: [...new Set(words(query.text).map((word) => spelling.stemOf(word)))].filter(telling),
    relevant: Object.entries(query.judgements)
      .filter(([, grade]) => grade > 0)
      .map(([id]) => id),
  }));
  const askedStems = new Set(asked.flatMap(({ stems }) => stems));

  const fromQueries = new PairCounts();
  for (const { stems, relevant } of asked) {
    tick();
    const answers = relevant.flatMap((id) => stemmed.get(id) ?? []);
    const there = new Set(answers.flatMap((answer) => [...answer]).filter(telling));
    fromQueries.add(
      stems.filter((one) => !there.has(one)),
      [...there].filter((one) => !stems.includes(one)),
    );
  }
  const fromCorpus = new PairCounts();
  for (const stems of stemmed.values()) {
    tick();
    const own = [...stems].filter((one) => telling(one) && (frequency.get(one) ?? 0) > 3);
    fromCorpus.add(
      own.filter((one) => askedStems.has(one)),
      own,
    );
  }
  const named = (source: SynonymCandidate['source'], pairs: PairCounts) =>
    pairs.best().map(({ left, rights, score }) => ({
      word: spelling.of(left),
      synonyms: rights.map((right) => spelling.of(right)),
      score,
      source,
    }));
  const byScore = (a: SynonymCandidate, b: SynonymCandidate) => b.score - a.score || (a.word < b.word ? -1 : 1);
  const half = Math.ceil(most / 2);
  const queriesFirst = named('queries', fromQueries).sort(byScore).slice(0, half);
  return [
    ...queriesFirst,
    ...named('corpus', fromCorpus)
      .sort(byScore)
      .slice(0, most - queriesFirst.length),
  ];
}

/** How often what stood on the left came with what stood on the right. */
class PairCounts {
  private rounds = 0;
  private readonly left = new Map<string, number>();
  private readonly right = new Map<string, number>();
  private readonly together = new Map<string, Map<string, number>>();

  add(lefts: readonly string[], rights: readonly string[]): void {
    this.rounds++;
    for (const right of rights) this.right.set(right, (this.right.get(right) ?? 0) + 1);
    for (const left of lefts) {
      this.left.set(left, (this.left.get(left) ?? 0) + 1);
      const partners = this.together.get(left) ?? new Map<string, number>();
      this.together.set(left, partners);
      for (const right of rights) if (right !== left) partners.set(right, (partners.get(right) ?? 0) + 1);
    }
  }

  best(): Array<{ left: string; rights: string[]; score: number }> {
    const found: Array<{ left: string; rights: string[]; score: number }> = [];
    for (const [left, partners] of this.together) {
      const scored = [...partners]
        .filter(([, both]) => both >= LEAST_TOGETHER)
        .map(([right, both]) => ({ right, score: this.association(left, right, both) }))
        .filter(({ score }) => score >= LEAST_SCORE)
        .sort((a, b) => b.score - a.score || (a.right < b.right ? -1 : 1))
        .slice(0, SYNONYMS_A_WORD);
      if (scored.length > 0)
        found.push({ left, rights: scored.map(({ right }) => right), score: scored[0]?.score ?? 0 });
    }
    return found;
  }

  /** Log-likelihood ratio of the two-by-two table; 0 where they meet less often than by chance. */
  private association(left: string, right: string, both: number): number {
    const n = this.rounds;
    const a = this.left.get(left) ?? 0;
    const b = this.right.get(right) ?? 0;
    if (both * n <= a * b) return 0;
    const cell = (seen: number, expected: number): number => (seen <= 0 ? 0 : seen * Math.log(seen / expected));
    const sum =
      cell(both, (a * b) / n) +
      cell(a - both, (a * (n - b)) / n) +
      cell(b - both, ((n - a) * b) / n) +
      cell(n - a - b + both, ((n - a) * (n - b)) / n);
    return 2 * sum;
  }
}

/** Stems, and how each is most often spelt. */
class Spellings {
  private readonly counts = new Map<string, Map<string, number>>();

  stemOf(word: string): string {
    const one = stem(word);
    const forms = this.counts.get(one) ?? new Map<string, number>();
    this.counts.set(one, forms);
    forms.set(word, (forms.get(word) ?? 0) + 1);
    return one;
  }

  of(one: string): string {
    const forms = [...(this.counts.get(one) ?? [])];
    return forms.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]?.[0] ?? one;
  }
}
