import { parseCorpus } from '../service/data.ts';
import type { IndexSource } from './build.ts';
import type { CorpusDocument } from './document.ts';

/** A corpus on its way into a thread: the bytes of its snapshot, under their digest. */
export interface CorpusBytes {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

/** Parsed on first use only: an index that exists already needs no documents. */
export function corpusSource({ sha256, bytes }: CorpusBytes): IndexSource {
  let parsed: CorpusDocument[] | undefined;
  return {
    corpusSha256: sha256,
    documents: () => {
      parsed ??= parseCorpus({ name: `corpus ${sha256.slice(0, 12)}`, text: new TextDecoder().decode(bytes) });
      return parsed;
    },
  };
}
