/** The leg by words: BM25 of FTS5 over one tenant's chunks, and what a variant's settings make of a query. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Metadata, MetadataFilter } from '../../contracts/retrieval.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { matches } from '../../domain/filter.ts';
import { type Tokenising, tokens } from '../../domain/tokens.ts';
import { characteristic } from '../lexical/characteristic.ts';
import { ftsRanker, type Ranker } from '../lexical/ranker.ts';
import { bestRows, type Searchable } from '../lexical/search.ts';
import { type InOneState, stateReader } from './index-file.ts';
import { tokensTable } from './index-schema.ts';
import type { LegAnswer } from './leg.ts';
import type { ScoredChunk } from './port.ts';

export interface LexicalQuestion {
  readonly tenant: string;
  readonly filter: MetadataFilter;
  readonly limit: number;
  readonly query: string;
  readonly settings: SearchSettings;
}

/** A tenant as it was at one version of the index. */
interface Tenant extends Omit<Searchable, 'rank'> {
  readonly all: Ranker;
  readonly filtered: Ranker;
}

/** Filters that were asked with lately, and which chunks they let pass. */
const MOST_FILTERS = 16;
const MOST_DOCUMENTS = 100_000;

export class LexicalLeg {
  readonly #db: DatabaseSync;
  readonly #how: Tokenising;
  readonly #inOneState: InOneState;
  readonly #tenants = new Map<string, Tenant | null>();
  readonly #filters = new Map<string, Map<number, boolean>>();
  readonly #prepared: Record<'tenant' | 'document' | 'text' | 'metadata', StatementSync>;
  /** By keys of chunks, which never belong to another: reading them takes as long as ranking does. */
  readonly #documents = new Map<number, string>();
  #version = -1;
  /** What the question that is being answered lets pass. */
  #allowed: (key: number) => boolean = () => true;

  constructor(db: DatabaseSync, how: Tokenising) {
    this.#db = db;
    this.#how = how;
    this.#inOneState = stateReader(db);
    const ofChunk = 'FROM chunks c JOIN documents d ON d.number = c.document WHERE c.key = ?';
    this.#prepared = {
      tenant: db.prepare('SELECT number, chunks FROM tenants WHERE name = ?'),
      document: db.prepare(`SELECT d.id ${ofChunk}`),
      text: db.prepare(`SELECT d.title, c.headings, c.text ${ofChunk}`),
      metadata: db.prepare(`SELECT d.metadata ${ofChunk}`),
    };
    db.function('allowed', { deterministic: false }, (key) => (this.#allowed(Number(key)) ? 1 : 0));
  }

  search(question: LexicalQuestion): LegAnswer {
    return this.#inOneState((version) => {
      if (version !== this.#version) {
        this.#tenants.clear();
        this.#filters.clear();
        this.#version = version;
      }
      const tenant = this.#tenant(question.tenant);
      return { version, hits: tenant === null ? [] : this.#hits(tenant, question) };
    });
  }

  #hits(tenant: Tenant, { filter, settings, query, limit }: LexicalQuestion): ScoredChunk[] {
    const isFiltered = Object.keys(filter).length > 0;
    if (isFiltered) this.#allowed = this.#passing(filter);
    const index: Searchable = { ...tenant, rank: (isFiltered ? tenant.filtered : tenant.all).rank };
    const bounded = bestRows(index, settings, query, limit);
    // The rarest words may all stand in chunks that do not pass; then the frequent ones are worth their price.
    const rows =
      isFiltered && bounded.length < limit
        ? bestRows(index, settings, query, limit, Number.POSITIVE_INFINITY)
        : bounded;
    return rows.map(({ rowid, score }) => ({ key: String(rowid), document: this.#documentOf(rowid), score }));
  }

  #documentOf(key: number): string {
    const known = this.#documents.get(key);
    if (known !== undefined) return known;
    if (this.#documents.size >= MOST_DOCUMENTS) this.#documents.clear();
    const id = String(this.#prepared.document.get(key)?.id);
    this.#documents.set(key, id);
    return id;
  }

  #tenant(name: string): Tenant | null {
    const known = this.#tenants.get(name);
    if (known !== undefined) return known;
    const found = this.#prepared.tenant.get(name);
    const tenant =
      found === undefined || Number(found.chunks) === 0
        ? null
        : this.#opened(Number(found.number), Number(found.chunks));
    // Names that nobody has are not remembered, so that strange questions cannot fill the memory.
    if (tenant !== null) this.#tenants.set(name, tenant);
    return tenant;
  }

  #opened(number: number, documents: number): Tenant {
    const table = tokensTable(number);
    this.#db.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS temp.frequencies_${number} USING fts5vocab(main, ${table}, row)`);
    const frequencyOf = this.#db.prepare(`SELECT doc FROM temp.frequencies_${number} WHERE term = ?`);
    const frequencies = new Map<string, number>();
    const frequency = (token: string): number => {
      const known = frequencies.get(token);
      if (known !== undefined) return known;
      const found = Number(frequencyOf.get(token)?.doc ?? 0);
      if (found > 0) frequencies.set(token, found);
      return found;
    };
    return {
      documents,
      frequency,
      how: this.#how,
      wordsOf: (key) => {
        const { title, headings, text } = this.#prepared.text.get(key) ?? {};
        const whole = [title, ...(JSON.parse(String(headings ?? '[]')) as string[]), text].join(' ');
        return characteristic(tokens(whole, this.#how), { documents, frequency });
      },
      all: ftsRanker(this.#db, { table }),
      filtered: ftsRanker(this.#db, { table, only: 'allowed' }),
    };
  }

  #passing(filter: MetadataFilter): (key: number) => boolean {
    const name = JSON.stringify(filter);
    const verdicts = this.#filters.get(name) ?? new Map<number, boolean>();
    this.#filters.delete(name);
    this.#filters.set(name, verdicts);
    const [oldest] = this.#filters.keys();
    if (this.#filters.size > MOST_FILTERS && oldest !== undefined) this.#filters.delete(oldest);
    return (key) => {
      const known = verdicts.get(key);
      if (known !== undefined) return known;
      const metadata = JSON.parse(String(this.#prepared.metadata.get(key)?.metadata)) as Metadata;
      const verdict = matches(metadata, filter);
      verdicts.set(key, verdict);
      return verdict;
    };
  }
}
