/**
 * Indexes in Qdrant: a collection for each service and recipe, for gateways on several machines.
 *
 * Qdrant changes one point at a time, so an index keeps generations, which are the cursors of its changes:
 * 1. A chunk is there from one generation on, and until another; a question asks for what is there at the generation that
 *    the cursor point names. Changes are written for the next generation, which nobody asks for, and then one write moves
 *    the cursor: that is when they are there, all of them.
 * 2. Who died before that left things of a generation that never came. The next `apply` takes them back first, so each of
 *    its steps can be repeated.
 * 3. What is gone is removed by the `apply` after, so a question that began before a change still finds its generation. One
 *    that the cursor moved away from while it was answered is asked again.
 * 4. One process applies at a time. Any number may ask.
 *
 * BM25 is Qdrant's: how rare a word is among the chunks of the tenant (from Qdrant 1.19 on; among all before), and a usual
 * length instead of the average. `stopShare` and `expansion` need counts that it does not give, and are left out.
 */
import { QdrantClient } from '@qdrant/js-client-rest';
import { PawlError } from '../../contracts/failures.ts';
import { SERVICE_NAME } from '../../contracts/ids.ts';
import type { FusionSettings } from '../../contracts/retrieval.ts';
import type {
  ChunkIndex,
  ChunkIndexes,
  IndexCounts,
  IndexedDocument,
  IndexQuestion,
  IndexRecipe,
  Legs,
  ScoredChunk,
  StoredChunk,
} from './port.ts';
import {
  CURSOR_POINT,
  chunkOf,
  chunksFilter,
  type Filter,
  pointsOf,
  sparseQuery,
  thereAt,
  VECTORS,
  vectorOf,
} from './qdrant-points.ts';
import { checkVector, checkVectors } from './vectors.ts';

export interface QdrantPlace {
  readonly url: string;
  readonly apiKey?: string;
  /** Collections of several homes in one Qdrant begin with different ones. */
  readonly prefix?: string;
}

export interface QdrantIndexes extends ChunkIndexes {
  open(recipe: IndexRecipe): Promise<QdrantIndex>;
  /** Others may read `<prefix><service>`: in one step it is another index. */
  pointAlias(service: string, digest: string): Promise<void>;
  /** Name of a snapshot of the whole index, which lies on the server. */
  snapshot(service: string, digest: string): Promise<string>;
}

export interface QdrantIndex extends ChunkIndex {
  /** For who wants nothing but the fused order: both legs and their fusion in one question, on the server. */
  fused(
    question: IndexQuestion,
    fusion: Pick<FusionSettings, 'k' | 'weights' | 'depth'>,
  ): Promise<readonly ScoredChunk[]>;
}

/** So many points, or documents, in one request. */
const BATCH = 200;
const SAFELY = { wait: true, ordering: 'strong' } as const;
const INDEXED = {
  tenant: { type: 'keyword', is_tenant: true },
  document: 'keyword',
  from: 'integer',
  until: 'integer',
  place: 'integer',
} as const;

export function qdrantIndexes({ url, apiKey, prefix = 'pawl_' }: QdrantPlace): QdrantIndexes {
  const client = new QdrantClient({ url, checkCompatibility: false, ...(apiKey === undefined ? {} : { apiKey }) });
  const beginning = (service: string): string => `${prefix}${checked(service, SERVICE_NAME)}`;
  const nameOf = (service: string, digest: string): string =>
    `${beginning(service)}_${checked(digest, /^[0-9a-f]{1,64}$/)}`;
  const exists = async (name: string): Promise<boolean> => (await client.collectionExists(name)).exists;

  return {
    open: (recipe) =>
      attempt(async () => {
        const name = nameOf(recipe.service, recipe.digest);
        if (!(await exists(name))) await create(client, name, recipe.dimensions);
        return new OpenIndex(client, name, recipe);
      }),

    list: (service) =>
      attempt(async () => {
        const start = `${beginning(service)}_`;
        const { collections } = await client.getCollections();
        return collections
          .filter(({ name }) => name.startsWith(start))
          .map(({ name }) => name.slice(start.length))
          .sort();
      }),

    remove: (service, digest) =>
      attempt(async () => {
        const name = nameOf(service, digest);
        if (await exists(name)) await client.deleteCollection(name);
      }),

    pointAlias: (service, digest) =>
      attempt(async () => {
        const alias_name = beginning(service);
        const { aliases } = await client.getAliases();
        const old = aliases.some((one) => one.alias_name === alias_name) ? [{ delete_alias: { alias_name } }] : [];
        const create_alias = { collection_name: nameOf(service, digest), alias_name };
        await client.updateCollectionAliases({ actions: [...old, { create_alias }] });
      }),

    snapshot: (service, digest) =>
      attempt(async () => {
        const made = await client.createSnapshot(nameOf(service, digest));
        if (made === null)
          throw new PawlError('Unavailable', 'Qdrant made no snapshot', { hint: 'Look into its log.' });
        return made.name;
      }),
  };
}

async function create(client: QdrantClient, name: string, dimensions: number | null): Promise<void> {
  try {
    await client.createCollection(name, {
      vectors: dimensions === null ? {} : { [VECTORS.dense]: { size: dimensions, distance: 'Cosine' } },
      sparse_vectors: { [VECTORS.words]: { modifier: 'idf' } },
    });
  } catch (error) {
    if (!(await client.collectionExists(name)).exists) throw error; // Another process was faster.
  }
  for (const [field_name, field_schema] of Object.entries(INDEXED)) {
    await client.createPayloadIndex(name, { field_name, field_schema, wait: true });
  }
}

class OpenIndex implements QdrantIndex {
  readonly #client: QdrantClient;
  readonly #name: string;
  readonly #recipe: IndexRecipe;

  constructor(client: QdrantClient, name: string, recipe: IndexRecipe) {
    this.#client = client;
    this.#name = name;
    this.#recipe = recipe;
  }

  cursor(): Promise<number> {
    return attempt(async () => {
      const [point] = await this.#client.retrieve(this.#name, { ids: [CURSOR_POINT], with_payload: ['cursor'] });
      return Number(point?.payload?.cursor ?? 0);
    });
  }

  async counts(): Promise<IndexCounts> {
    const there = thereAt(await this.cursor());
    const firsts: Filter = { must: [there, { key: 'place', match: { value: 0 } }] };
    return attempt(async () => {
      const [chunks, documents] = await Promise.all(
        [there, firsts].map((filter) => this.#client.count(this.#name, { filter, exact: true })),
      );
      return { chunks: chunks?.count ?? 0, documents: documents?.count ?? 0 };
    });
  }

  async apply({ cursor, documents }: { readonly cursor: number; readonly documents: readonly IndexedDocument[] }) {
    checkVectors(documents, this.#recipe.dimensions);
    const now = await this.cursor();
    if (cursor <= now) return;
    const last = [...new Map(documents.map((one) => [JSON.stringify([one.tenant, one.id]), one])).values()];
    await attempt(async () => {
      await this.#clean(now);
      const points = last.flatMap((document) => pointsOf(document, cursor, this.#recipe.tokenising));
      for (const batch of inBatches(points)) await this.#client.upsert(this.#name, { ...SAFELY, points: batch });
      for (const [tenant, ofTenant] of Map.groupBy(last, (one) => one.tenant)) {
        for (const batch of inBatches(ofTenant)) {
          const which = { key: 'document', match: { any: batch.map(({ id }) => id) } };
          const filter: Filter = {
            must: [{ key: 'tenant', match: { value: tenant } }, which, { key: 'from', range: { lte: now } }],
          };
          await this.#client.setPayload(this.#name, { ...SAFELY, payload: { until: cursor }, filter });
        }
      }
      const moved = { id: CURSOR_POINT, vector: {}, payload: { cursor } };
      await this.#client.upsert(this.#name, { ...SAFELY, points: [moved] });
    });
  }

  /** Takes back what was written for a generation that never came, and removes what was gone before this one. */
  async #clean(now: number): Promise<void> {
    const never: Filter = { must: [{ key: 'from', range: { gt: now } }] };
    const gone: Filter = { must: [{ key: 'until', range: { lte: now } }] };
    const still: Filter = { must: [{ key: 'until', range: { gt: now } }] };
    await this.#client.delete(this.#name, { ...SAFELY, filter: never });
    await this.#client.delete(this.#name, { ...SAFELY, filter: gone });
    await this.#client.deletePayload(this.#name, { ...SAFELY, keys: ['until'], filter: still });
  }

  async search(question: IndexQuestion): Promise<Legs> {
    for (let generation = await this.cursor(); ; ) {
      const asked = this.#asked(question, generation);
      if (asked.length === 0) return { dense: [], lexical: [] };
      const { limit } = question;
      const look = { filter: { must: [{ has_id: [CURSOR_POINT] }] }, limit: 1, with_payload: ['cursor'] };
      const searches = [...asked.map(({ search }) => ({ ...search, limit, with_payload: ['document'] })), look];
      const found = await attempt(() => this.#client.queryBatch(this.#name, { searches }));
      const hits = (leg: 'dense' | 'lexical') => scored(found[asked.findIndex((one) => one.leg === leg)]?.points);
      const moved = Number(found.at(-1)?.points[0]?.payload?.cursor ?? 0);
      if (moved === generation) return { dense: hits('dense'), lexical: hits('lexical') };
      generation = moved;
    }
  }

  async fused(question: IndexQuestion, { k, weights, depth }: Pick<FusionSettings, 'k' | 'weights' | 'depth'>) {
    const asked = this.#asked(question, await this.cursor());
    if (asked.length === 0) return [];
    const { points } = await attempt(() =>
      this.#client.query(this.#name, {
        prefetch: asked.map(({ search }) => ({ ...search, limit: depth })),
        query: { rrf: { k, weights: asked.map(({ leg }) => weights[leg]) } },
        limit: question.limit,
        with_payload: ['document'],
      }),
    );
    return scored(points);
  }

  async chunks(tenant: string, keys: readonly string[]): Promise<readonly StoredChunk[]> {
    const ids = keys.filter((key) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(key));
    const points = await attempt(() =>
      this.#client.retrieve(this.#name, {
        ids: [...ids, CURSOR_POINT],
        with_payload: true,
        with_vector: [VECTORS.dense],
      }),
    );
    const payloads = new Map(points.map(({ id, payload }) => [String(id), payload ?? {}]));
    const vectors = new Map(points.map(({ id, vector }) => [String(id), vectorOf(vector)]));
    const now = Number(payloads.get(String(CURSOR_POINT))?.cursor ?? 0);
    return ids.flatMap((key) => {
      const payload = payloads.get(key);
      if (payload?.tenant !== tenant) return [];
      const isThere = Number(payload.from) <= now && Number(payload.until ?? Number.POSITIVE_INFINITY) > now;
      return isThere ? [chunkOf(key, payload, vectors.get(key) ?? null)] : [];
    });
  }

  async close(): Promise<void> {}

  /** What is asked of each leg; nothing where nothing can be found. */
  #asked({ tenant, filter, limit, dense, lexical }: IndexQuestion, generation: number) {
    if (dense !== null) checkVector('The question', dense.vector, this.#recipe.dimensions);
    const passing = chunksFilter(tenant, generation, filter);
    if (passing === null || limit === 0) return [];
    const words = lexical && sparseQuery(lexical.query, lexical.settings, this.#recipe.tokenising);
    const idf = { corpus: { must: [{ key: 'tenant', match: { value: tenant } }, thereAt(generation)] } };
    return [
      ...(dense === null
        ? []
        : [
            {
              leg: 'dense' as const,
              search: { query: Array.from(dense.vector), using: VECTORS.dense, filter: passing },
            },
          ]),
      ...(words === null || words.indices.length === 0
        ? []
        : [
            {
              leg: 'lexical' as const,
              search: { query: words, using: VECTORS.words, filter: passing, params: { idf } },
            },
          ]),
    ];
  }
}

type Points = Awaited<ReturnType<QdrantClient['query']>>['points'];

/** Qdrant says nothing about the order of equal scores. */
const scored = (points: Points = []): ScoredChunk[] =>
  points
    .map(({ id, score, payload }) => ({ key: String(id), document: String(payload?.document), score }))
    .sort((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1));

function* inBatches<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}

function checked(name: string, pattern: RegExp): string {
  if (pattern.test(name)) return name;
  throw new PawlError('Usage', `${JSON.stringify(name)} names no index`, { hint: `Expected ${pattern}.` });
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof PawlError) throw cause;
    const because = cause instanceof Error ? cause.message : String(cause);
    throw new PawlError('Unavailable', `Qdrant did not do what was asked: ${because}`, {
      hint: 'See that it runs where QDRANT_URL says, is of version 1.19 or newer, and takes the key. It is safe to try again.',
      cause,
    });
  }
}
