import type { SearchSettings } from '../../contracts/variant.ts';
import { tokens, words } from '../../domain/tokens.ts';
import { defineTask } from '../threads.ts';
import { type CorpusBytes, corpusSource } from './corpus-bytes.ts';
import { OpenIndexes } from './open-indexes.ts';
import { tokenisingOf } from './recipe.ts';

export interface VocabularyWork {
  readonly indexFolder: string;
  readonly corpus: CorpusBytes;
  readonly settings: SearchSettings;
  readonly texts: readonly string[];
}

/** For each text, its words that no document of the index holds. */
export const unknownWords = defineTask(import.meta.url, (work: VocabularyWork, _, tick): string[][] => {
  const indexes = new OpenIndexes(work.indexFolder, corpusSource(work.corpus), { tick });
  const how = tokenisingOf(work.settings);
  try {
    const index = indexes.for(work.settings);
    const known = (word: string): boolean => tokens(word, how).some((token) => index.frequency(token) > 0);
    return work.texts.map((text) => [...new Set(words(text))].filter((word) => !known(word)));
  } finally {
    indexes.close();
  }
});
