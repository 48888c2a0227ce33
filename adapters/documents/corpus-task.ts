/** A corpus file into the store of documents, in a thread: parsing and writing many of them takes seconds. */
import { z } from 'zod';
import { DOCUMENT_FORMATS, type SourceDocument } from '../../contracts/retrieval.ts';
import type { CorpusBytes } from '../lexical/corpus-bytes.ts';
import { parseJsonLines, type SourceText } from '../service/jsonl.ts';
import { defineTask } from '../threads.ts';
import { type DocumentsPlace, documentsAt } from './of-environment.ts';
import { CORPUS_FILE } from './port.ts';

export const metadata = z.record(z.string().max(100), z.union([z.string().max(1_000), z.number(), z.boolean()]));

/** A line of a corpus. Unknown keys are left alone: corpora carry more than a search needs. */
export const documentLine = z
  .object({
    _id: z.string().min(1).max(512),
    title: z.string().default(''),
    text: z.string(),
    format: z.enum(DOCUMENT_FORMATS).default('text'),
    metadata: metadata.catch({}).default({}),
  })
  .transform(({ _id, ...rest }): SourceDocument => ({ id: _id, ...rest }));

export const parseDocuments = (source: SourceText): SourceDocument[] => parseJsonLines(source, documentLine);

export const lineOf = ({ id, ...rest }: SourceDocument): string => JSON.stringify({ _id: id, ...rest });

export type CorpusWork = DocumentsPlace & {
  readonly tenant: string;
  readonly corpus: CorpusBytes;
};

export const corpusSync = defineTask(import.meta.url, async ({ tenant, corpus, ...place }: CorpusWork) => {
  const text = new TextDecoder().decode(corpus.bytes);
  const documents = parseDocuments({ name: `corpus ${corpus.sha256.slice(0, 12)}`, text });
  const store = documentsAt(place);
  try {
    return await store.sync(tenant, documents, CORPUS_FILE);
  } finally {
    store.close();
  }
});
