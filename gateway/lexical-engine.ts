/**
 * Full-text search over whole documents: what a service begins with.
 *
 * 1. Every variant answers from `live`: one corpus, one index for each recipe in use. It is replaced as a whole.
 * 2. Indexes are built beside what serves, in a thread; when that fails, what serves goes on.
 * 3. Loading and renewing take turns, so that no variant is added to a state that is just being replaced.
 */
import { existsSync, rmSync } from 'node:fs';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { indexPath } from '../adapters/lexical/build.ts';
import { indexBuild } from '../adapters/lexical/build-task.ts';
import type { CorpusBytes } from '../adapters/lexical/corpus-bytes.ts';
import { type LexicalIndex, openIndex } from '../adapters/lexical/index-file.ts';
import { recipeOf, tokenisingOf } from '../adapters/lexical/recipe.ts';
import { loadVariant } from '../adapters/lexical/variant.ts';
import { runTask } from '../adapters/threads.ts';
import { DEFAULT_TENANT } from '../contracts/access.ts';
import { failures, PawlError } from '../contracts/failures.ts';
import type { SearchSettings, Variant } from '../contracts/variant.ts';
import type { Tokenising } from '../domain/tokens.ts';
import type { CorpusFile } from './corpus-file.ts';
import type { Found, IndexStatus, LoadedVariant, SearchQuestion } from './search-engine.ts';

export interface LexicalEngineDeps {
  readonly service: string;
  readonly corpus: CorpusFile;
  readonly indexFolder: string;
  readonly artifacts: ArtifactStore;
}

export interface LexicalEngine {
  load(variant: Variant): Promise<LoadedVariant>;
  index(): IndexStatus;
  /** Never rejects. */
  renew(): Promise<void>;
  close(): Promise<void>;
}

interface Live {
  readonly corpus: CorpusBytes;
  readonly indexes: Map<string, LexicalIndex>;
}

export const createLexicalEngine = (deps: LexicalEngineDeps): LexicalEngine => {
  const { service, corpus: file, indexFolder, artifacts } = deps;
  const recipes = new Map<string, Tokenising>();
  const ending = new AbortController();
  const inTurn = takingTurns();
  let live: Live | null = null;
  /** A corpus whose index could not be built, for a reason that may pass. */
  let pending: CorpusBytes | null = null;
  let doing: Pick<IndexStatus, 'state' | 'because'> = { state: 'building', because: 'the corpus was not read yet' };

  const indexOver = async (corpus: CorpusBytes, how: Tokenising): Promise<LexicalIndex> => {
    const path = indexPath(indexFolder, corpus.sha256, how);
    const build = () => runTask(indexBuild, { indexFolder, corpus, how }, { signal: ending.signal });
    if (!existsSync(path)) return openIndex(await build());
    try {
      return openIndex(path);
    } catch {
      rmSync(path, { force: true }); // An index holds nothing that the corpus does not: build it anew.
      return openIndex(await build());
    }
  };

  const liveOver = async (corpus: CorpusBytes): Promise<Live> => {
    const indexes = new Map<string, LexicalIndex>();
    try {
      for (const [recipe, how] of recipes) indexes.set(recipe, await indexOver(corpus, how));
      return { corpus, indexes };
    } catch (error) {
      for (const index of indexes.values()) index.close();
      throw error;
    }
  };

  const renew = async (): Promise<void> => {
    try {
      const corpus = (await file.look()) ?? pending;
      if (!corpus) return;
      pending = corpus;
      doing = { state: 'building', because: `the corpus changed to ${corpus.sha256.slice(0, 12)}` };
      const next = await liveOver(corpus);
      const before = live;
      live = next;
      for (const index of before?.indexes.values() ?? []) index.close();
      pending = null;
      doing = { state: 'ready', because: null };
    } catch (error) {
      if (error instanceof PawlError && !failures[error.type].retryable) pending = null;
      doing = { state: 'failed', because: error instanceof Error ? error.message : String(error) };
    }
  };

  const prepare = async (recipe: string, how: Tokenising): Promise<void> => {
    if (!live) throw new PawlError('Unavailable', `${service} has no corpus yet: ${doing.because}`);
    if (!live.indexes.has(recipe)) live.indexes.set(recipe, await indexOver(live.corpus, how));
    recipes.set(recipe, how);
  };

  const search = async (recipe: string, settings: SearchSettings, question: SearchQuestion): Promise<Found> => {
    const { query, k, tenant, filter } = question;
    if (tenant !== DEFAULT_TENANT || Object.keys(filter).length > 0) {
      throw new PawlError(
        'Refused',
        'The variant that serves searches whole documents of one tenant, without filters',
        {
          hint: 'Leave the filter out, or ask for a variant of hybrid search.',
        },
      );
    }
    const index = live?.indexes.get(recipe);
    if (!index) throw new PawlError('Unavailable', `The index of ${service} is closed`);
    // Nothing else runs in this thread meanwhile, so time is CPU time; the kernel's own count moves in steps of some ms.
    const before = performance.now();
    const hits = index
      .search(settings, query, k)
      .map(({ id, score }) => ({ id, score, title: index.document(id)?.title ?? '' }));
    return { hits, cpuMs: performance.now() - before };
  };

  return {
    renew: () => inTurn(renew),

    load: async (variant) => {
      const content = await loadVariant(artifacts, variant);
      if (content.service !== service) {
        throw new PawlError(
          'ConfigInvalid',
          `Variant ${variant.id} was made for ${content.service}, not for ${service}`,
        );
      }
      const recipe = recipeOf(content.settings);
      await inTurn(() => prepare(recipe, tokenisingOf(content.settings)));
      return {
        search: (question) => search(recipe, content.settings, question),
        state: () => live?.corpus.sha256 ?? '',
        release: async () => {},
      };
    },

    index: () => {
      const [any] = live?.indexes.values() ?? [];
      return { ...doing, corpus: live?.corpus.sha256 ?? null, documents: any?.documents ?? 0 };
    },

    close: async () => {
      ending.abort(new PawlError('Unavailable', 'The gateway is closing'));
      await inTurn(async () => {
        for (const index of live?.indexes.values() ?? []) index.close();
        live = null;
        doing = { state: 'failed', because: 'the gateway is closing' };
      });
    },
  };
};

const takingTurns = () => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined); // Whoever asked hears of it; the next one only waits for the end.
    return mine;
  };
};
