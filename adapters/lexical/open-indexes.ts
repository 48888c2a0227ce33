import type { SearchSettings } from '../../contracts/variant.ts';
import { type JudgedQuery, ndcg } from '../../domain/rank-metrics.ts';
import { ensureIndex, type IndexSource } from './build.ts';
import { type LexicalIndex, openIndex } from './index-file.ts';
import { recipeOf } from './recipe.ts';

interface OpenOptions {
  readonly memory?: boolean;
  /** Called while an index is built and while queries are scored. */
  readonly tick?: () => void;
}

/** One open index per recipe, built on first use. */
export class OpenIndexes {
  private readonly folder: string;
  private readonly source: IndexSource;
  private readonly options: OpenOptions;
  private readonly open = new Map<string, LexicalIndex>();

  constructor(folder: string, source: IndexSource, options: OpenOptions = {}) {
    this.folder = folder;
    this.source = source;
    this.options = options;
  }

  for(settings: SearchSettings): LexicalIndex {
    const recipe = recipeOf(settings);
    const build = () => ensureIndex(this.folder, this.source, settings, this.options.tick);
    const index = this.open.get(recipe) ?? this.opened(build);
    this.open.set(recipe, index);
    return index;
  }

  /** An old index may be cleared out between being found and being opened; it is built anew then. */
  private opened(build: () => string): LexicalIndex {
    try {
      return openIndex(build(), this.options);
    } catch {
      return openIndex(build(), this.options);
    }
  }

  tick(): void {
    this.options.tick?.();
  }

  close(): void {
    for (const index of this.open.values()) index.close();
  }
}

/** NDCG@10 of each query, in order. */
export function scoresOf(indexes: OpenIndexes, settings: SearchSettings, queries: readonly JudgedQuery[]): number[] {
  const index = indexes.for(settings);
  return queries.map(({ text, judgements }) => {
    indexes.tick();
    const ranked = index.search(settings, text, 10).map(({ id }) => id);
    return ndcg(ranked, judgements);
  });
}
