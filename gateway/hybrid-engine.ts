/**
 * Hybrid search over the parts of documents.
 *
 * 1. Variants of one recipe share an index, and those of one base share its sessions: what a variant brings of its own is
 *    settings and an adapter.
 * 2. A variant is loaded when its index holds every document that there was when loading began; it is built beside what
 *    serves, which goes on.
 * 3. What a variant took it gives back when it is released and its last question is answered.
 */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { DocumentStore } from '../adapters/documents/port.ts';
import type { ChunkIndexes } from '../adapters/retrieval/port.ts';
import type { HybridContent } from '../contracts/retrieval.ts';
import type { Encoders } from './encoders.ts';
import { hybridSearch } from './hybrid-search.ts';
import { Questions } from './questions.ts';
import { type RecipeIndex, recipeIndex } from './recipe-index.ts';
import { openReranker } from './reranker.ts';
import type { IndexStatus, LoadedVariant } from './search-engine.ts';

export interface HybridEngineDeps {
  readonly service: string;
  readonly documents: Pick<DocumentStore, 'changes' | 'counts' | 'generation' | 'identity'>;
  readonly indexes: ChunkIndexes;
  readonly encoders: Encoders;
  readonly artifacts: Pick<ArtifactStore, 'get'>;
}

export interface HybridEngine {
  load(content: HybridContent): Promise<LoadedVariant>;
  index(): Pick<IndexStatus, 'state' | 'because' | 'documents'>;
  /** Never rejects. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

export const createHybridEngine = (deps: HybridEngineDeps): HybridEngine => {
  const { documents, encoders, artifacts } = deps;
  const ending = new AbortController();
  /** Of each recipe one index, and how many variants answer from it. */
  const indexes = new Map<string, { readonly index: RecipeIndex; users: number }>();
  let trouble: string | null = null;
  let building = 0;
  let known = 0;

  const takeIndex = async (content: HybridContent): Promise<{ index: RecipeIndex; release: () => Promise<void> }> => {
    const { recipe } = content;
    const one = indexes.get(recipe) ?? { index: recipeIndex({ ...deps, content, signal: ending.signal }), users: 0 };
    indexes.set(recipe, one);
    one.users++;
    const release = async () => {
      if (--one.users > 0) return;
      indexes.delete(recipe);
      await one.index.close();
    };
    building++;
    try {
      await one.index.takeUp();
      return { index: one.index, release };
    } catch (error) {
      await release();
      throw error;
    } finally {
      building--;
    }
  };

  const load = async (content: HybridContent): Promise<LoadedVariant> => {
    const { settings, recipe } = content;
    const { dense, rerank } = settings;
    const giveBack: Array<() => Promise<void>> = [];
    const release = async () => {
      for (const back of giveBack.splice(0).reverse()) await back();
    };
    try {
      const taken = await takeIndex(content);
      giveBack.push(taken.release);
      const encoder = dense ? await encoders.take({ base: dense.base, adapter: dense.adapter }) : null;
      if (encoder) giveBack.push(() => encoder.release());
      const reranker = rerank ? await openReranker(rerank, { encoders, artifacts }) : null;
      if (reranker) giveBack.push(() => reranker.release());
      const { index } = taken;
      return {
        search: (question) => index.ask((now) => hybridSearch({ settings, index: now, encoder, reranker }, question)),
        state: () => `${recipe} ${index.state()}`,
        release,
      };
    } catch (error) {
      await release();
      throw error;
    }
  };

  return {
    load: async (content) => {
      const variant = releasedWhenIdle(await load(content));
      // The first question would wait for what is made ready by asking.
      await variant.search({ query: 'what is warmed up', k: 1, tenant: '', filter: {} });
      return variant;
    },

    renew: async () => {
      const steps = [
        async () => {
          known = (await documents.counts()).documents;
        },
        ...[...indexes.values()].map(
          ({ index }) =>
            () =>
              index.takeUp(),
        ),
      ];
      let wrong: string | null = null;
      for (const step of steps) {
        await step().catch((error: unknown) => {
          wrong = error instanceof Error ? error.message : String(error);
        });
      }
      trouble = wrong;
    },

    index: () => {
      if (trouble !== null) return { state: 'failed', because: trouble, documents: known };
      if (building > 0) return { state: 'building', because: 'an index takes up documents', documents: known };
      return { state: 'ready', because: null, documents: known };
    },

    close: async () => {
      ending.abort(new Error('The gateway is closing.'));
      for (const { index } of [...indexes.values()]) await index.close();
    },
  };
};

/** Questions that came before the release are answered before anything is given back. */
const releasedWhenIdle = (variant: LoadedVariant): LoadedVariant => {
  const questions = new Questions();
  let released: Promise<void> | null = null;
  return {
    state: () => variant.state(),
    search: (question) => questions.during(() => variant.search(question)),
    release: () => {
      released ??= questions.answered().then(() => variant.release());
      return released;
    },
  };
};
