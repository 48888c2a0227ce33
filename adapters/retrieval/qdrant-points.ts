/**
 * Chunks as points of Qdrant, and questions as its filters and vectors.
 *
 * Each token of each field is a dimension of its own, so that the weights of the fields are known when the question comes.
 */
import { createHash } from 'node:crypto';
import type { Schemas } from '@qdrant/js-client-rest';
import type { Metadata, MetadataFilter } from '../../contracts/retrieval.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { hash32 } from '../../domain/random.ts';
import { type Tokenising, tokens } from '../../domain/tokens.ts';
import { queryTokens, synonymsOf } from '../lexical/query.ts';
import { EXTRA_WEIGHT } from '../lexical/search.ts';
import type { IndexedDocument, StoredChunk } from './port.ts';

export type Point = Schemas['PointStruct'];
export type Filter = Schemas['Filter'];
type Condition = Schemas['Condition'];

export interface SparseVector {
  readonly indices: number[];
  readonly values: number[];
}

// BM25 with lengths against a usual one: the average over all chunks is known to nobody here.
const K1 = 1.2;
const B = 0.75;
const USUAL_LENGTH = { title: 8, body: 160 } as const;
type Field = keyof typeof USUAL_LENGTH;

export const VECTORS = { dense: 'dense', words: 'words' } as const;
/** The one point that is no chunk: it says up to where the index was taken. */
export const CURSOR_POINT = 0;

/** The same chunk of the same change has the same id, so that what is repeated is not there twice. */
export function pointsOf(document: IndexedDocument, generation: number, how: Tokenising): Point[] {
  const { tenant, id, title, metadata } = document;
  return document.chunks.map(({ start, end, headings, text, vector }, place) => {
    const words = sparse({ title: tokens([title, ...headings].join(' '), how), body: tokens(text, how) });
    return {
      id: uuidOf([tenant, id, generation, place]),
      vector: {
        ...(vector === null ? {} : { [VECTORS.dense]: Array.from(vector) }),
        ...(words.indices.length === 0 ? {} : { [VECTORS.words]: words }),
      },
      payload: {
        ...{ tenant, document: id, from: generation, place, title, start, end, headings: [...headings], text },
        ...{ metadata: JSON.stringify(metadata), labels: labelsOf(metadata) },
      },
    };
  });
}

/** As Qdrant gives back the vectors of a point: by their names, each a list of numbers. */
export const vectorOf = (vectors: unknown): Float32Array | null => {
  const dense = (vectors as Readonly<Record<string, unknown>> | null | undefined)?.[VECTORS.dense];
  return Array.isArray(dense) ? Float32Array.from(dense as number[]) : null;
};

export function chunkOf(
  key: string,
  payload: Readonly<Record<string, unknown>>,
  vector: Float32Array | null,
): StoredChunk {
  const { document, title, place, start, end, headings, text, metadata } = payload;
  return {
    ...{ key, document: String(document), title: String(title), index: Number(place) },
    ...{ start: Number(start), end: Number(end), text: String(text), headings: headings as string[] },
    ...{ metadata: JSON.parse(String(metadata)) as Metadata, vector },
  };
}

/** Words of the query and their synonyms by the weights of the fields; Qdrant multiplies by how rare each is. */
export function sparseQuery(query: string, { weights, synonyms }: SearchSettings, how: Tokenising): SparseVector {
  const own = queryTokens(query, how);
  const extra = synonymsOf(own, synonyms, how).filter((token) => !own.includes(token));
  const values = new Map<number, number>();
  for (const field of ['title', 'body'] as const) {
    if (weights[field] === 0) continue;
    for (const token of own) values.set(dimension(field, token), weights[field]);
    for (const token of extra) values.set(dimension(field, token), weights[field] * EXTRA_WEIGHT);
  }
  return { indices: [...values.keys()], values: [...values.values()] };
}

/** Chunks that were there at a generation. */
export const thereAt = (generation: number): Filter => ({
  must: [{ key: 'from', range: { lte: generation } }],
  should: [{ is_empty: { key: 'until' } }, { key: 'until', range: { gt: generation } }],
});

/** A tenant's chunks that were there at a generation, and that a filter lets pass; null where none can. */
export function chunksFilter(tenant: string, generation: number, filter: MetadataFilter): Filter | null {
  const must: Condition[] = [{ key: 'tenant', match: { value: tenant } }, thereAt(generation)];
  for (const [name, condition] of Object.entries(filter)) {
    const key = `labels.${labelName(name)}`;
    if (typeof condition !== 'object') must.push(equal(key, condition));
    else if ('in' in condition) {
      if (condition.in.length === 0) return null;
      must.push({ should: condition.in.map((value) => equal(key, value)) });
    } else
      must.push({ key, range: { gte: condition.from ?? -Number.MAX_VALUE, lte: condition.to ?? Number.MAX_VALUE } });
  }
  return { must };
}

/** Numbers as ranges: `match` knows whole ones only. */
const equal = (key: string, value: string | number | boolean): Condition =>
  typeof value === 'number' ? { key, range: { gte: value, lte: value } } : { key, match: { value } };

/** Names are anybody's; a dot or a bracket in a key would be a path. */
const labelName = (name: string): string => `n${Buffer.from(name).toString('hex')}`;
const labelsOf = (metadata: Metadata): Record<string, string | number | boolean> =>
  Object.fromEntries(Object.entries(metadata).map(([name, value]) => [labelName(name), value]));

function sparse(fields: Readonly<Record<Field, readonly string[]>>): SparseVector {
  const values = new Map<number, number>();
  for (const field of ['title', 'body'] as const) {
    const counts = new Map<string, number>();
    for (const token of fields[field]) counts.set(token, (counts.get(token) ?? 0) + 1);
    const norm = K1 * (1 - B + (B * fields[field].length) / USUAL_LENGTH[field]);
    for (const [token, count] of counts) {
      const at = dimension(field, token);
      values.set(at, (values.get(at) ?? 0) + (count * (K1 + 1)) / (count + norm));
    }
  }
  return { indices: [...values.keys()], values: [...values.values()] };
}

const dimension = (field: Field, token: string): number => hash32(`${field}:${token}`);

function uuidOf(parts: readonly unknown[]): string {
  const hex = createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
