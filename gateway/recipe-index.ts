/**
 * The index of one recipe, over all its generations.
 *
 * 1. A new generation is built beside the one that answers, and takes its place when it holds every document.
 * 2. The one before is closed when nobody can ask it any more; what it keeps on the disk is removed then.
 * 3. Whatever fails is tried again at the next call.
 */
import { indexRecipe } from '../adapters/hybrid/variant.ts';
import type { ChunkIndex } from '../adapters/retrieval/port.ts';
import type { HybridContent } from '../contracts/retrieval.ts';
import { cutting } from './cutting.ts';
import type { TakenEncoder } from './encoders.ts';
import type { HybridEngineDeps } from './hybrid-engine.ts';
import { type LiveIndex, openLiveIndex } from './live-index.ts';
import { Questions } from './questions.ts';

export interface RecipeIndexDeps extends Pick<HybridEngineDeps, 'documents' | 'indexes' | 'encoders'> {
  readonly content: HybridContent;
  readonly signal: AbortSignal;
  readonly onStep?: (seq: number) => void;
}

export interface RecipeIndex {
  /** Every document that there was before the call is in the index when it is done. */
  takeUp(): Promise<void>;
  /** One question from its first step to its last: it is answered by one generation. */
  ask<T>(work: (index: ChunkIndex) => Promise<T>): Promise<T>;
  /** Changes with what answers hold. */
  state(): string;
  close(): Promise<void>;
}

interface Generation {
  readonly number: number;
  readonly digest: string;
  /** Whose documents it holds: another store's changes bear the same numbers. */
  readonly store: string;
  readonly live: LiveIndex;
  readonly questions: Questions;
}

export const recipeIndex = (deps: RecipeIndexDeps): RecipeIndex => {
  const { content, documents, indexes, encoders, signal, onStep } = deps;
  const { settings, service } = content;
  let serving: Generation | null = null;
  let encoder: TakenEncoder | null = null;
  let last: Promise<void> = Promise.resolve();

  const open = async (number: number): Promise<Generation> => {
    const { dense, chunking } = settings;
    // Documents are encoded by the base alone where the adapter is for questions.
    const adapter = dense?.side === 'both' ? dense.adapter : null;
    if (dense) encoder ??= await encoders.take({ base: dense.base, adapter });
    const own = encoder;
    const embed =
      own && dense
        ? (texts: readonly string[]) => own.documents(texts, dense.lengths.document, adapter !== null)
        : null;
    const cut = cutting(chunking, embed);
    const store = await documents.identity();
    const recipe = indexRecipe(content, { store, generation: number }, own?.dimensions ?? null);
    const index = await indexes.open(recipe);
    const live = await openLiveIndex({ documents, index, embed, cut, ...(onStep ? { onStep } : {}) }).catch(
      async (error: unknown) => {
        await index.close();
        throw error;
      },
    );
    return { number, digest: recipe.digest, store, live, questions: new Questions() };
  };

  const takeUp = async (): Promise<void> => {
    const wanted = await documents.generation();
    if (serving?.number === wanted) return serving.live.takeUp(signal);
    const next = await open(wanted);
    try {
      await next.live.takeUp(signal);
    } catch (error) {
      await next.live.index.close();
      throw error;
    }
    const before = serving;
    serving = next;
    if (!before) return;
    await before.questions.answered();
    await before.live.index.close();
    await indexes.remove(service, before.digest);
  };

  return {
    takeUp: () => {
      const mine = last.then(takeUp);
      last = mine.catch(() => undefined);
      return mine;
    },
    ask: async (work) => {
      if (!serving) throw new Error('An index is asked only after it took up the documents.');
      const { questions, live } = serving;
      return questions.during(() => work(live.index));
    },
    state: () => `${serving?.store} ${serving?.number} ${serving?.live.cursor()}`,
    close: async () => {
      await last;
      await serving?.live.index.close();
      await encoder?.release();
    },
  };
};
