/**
 * The documents of a service, as its engines take them up: what its corpus file holds, and what was put through the API.
 *
 * 1. The file is brought into the store whenever it changes; what was put or removed otherwise stays as it was put.
 * 2. Engines that index a corpus as a whole get the file's own bytes for as long as nothing else is in the store, so that
 *    what serves is what the file's digest says.
 * 3. What could not be taken up, for a reason that may pass, is taken up at a later look.
 */
import { createHash } from 'node:crypto';
import { corpusSync, lineOf } from '../adapters/documents/corpus-task.ts';
import type { DocumentsPlace } from '../adapters/documents/of-environment.ts';
import { CORPUS_FILE, type DocumentStore } from '../adapters/documents/port.ts';
import type { CorpusBytes } from '../adapters/lexical/corpus-bytes.ts';
import { runTask } from '../adapters/threads.ts';
import { DEFAULT_TENANT } from '../contracts/access.ts';
import { failures, PawlError } from '../contracts/failures.ts';
import type { CorpusFile } from './corpus-file.ts';

export interface ServiceDocumentsDeps {
  readonly file: CorpusFile;
  readonly store: DocumentStore;
  /** Of the store, for the thread that writes the corpus into it. */
  readonly place: DocumentsPlace;
}

const PAGE = 1_000;

export const createServiceDocuments = ({ file, store, place }: ServiceDocumentsDeps): CorpusFile => {
  let bytes: CorpusBytes | null = null;
  /** Told by the file, and not in the store yet. */
  let pending: CorpusBytes | null = null;
  /** Number of the last change that a snapshot held. */
  let seen = -1;

  const snapshot = async (): Promise<CorpusBytes> => {
    const lines: string[] = [];
    for (let after = 0; ; ) {
      const changes = await store.changes(after, PAGE);
      const last = changes.at(-1);
      if (last === undefined) break;
      for (const { tenant, document } of changes)
        if (tenant === DEFAULT_TENANT && document) lines.push(lineOf(document));
      after = last.seq;
    }
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    return { sha256: createHash('sha256').update(text).digest('hex'), bytes: text };
  };

  return {
    look: async () => {
      const changed = (await file.look()) ?? pending;
      if (changed) {
        pending = changed;
        try {
          // A thread gets a copy of what it is given: these bytes stay here.
          await runTask(corpusSync, { ...place, tenant: DEFAULT_TENANT, corpus: changed });
        } catch (error) {
          if (error instanceof PawlError && !failures[error.type].retryable) pending = null;
          throw error;
        }
        bytes = changed;
      }
      const { seq, others } = await store.counts(CORPUS_FILE);
      // A file that was gone and is back as it was is told, though nothing in the store has changed.
      if (seq === seen && !changed) return null;
      const taken = others > 0 ? await snapshot() : bytes;
      [seen, pending] = [seq, null];
      return taken;
    },
  };
};
