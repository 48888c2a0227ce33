/**
 * An index that is kept in step with the documents of its service.
 *
 * 1. Documents are taken up in the order of their changes, some at a time; each time the index is whole.
 * 2. One takes them up at a time; who comes meanwhile waits for the end of it and looks again.
 * 3. What went wrong is told and tried again at the next call. What is in the index answers on.
 */
import type { DocumentChange, DocumentStore } from '../adapters/documents/port.ts';
import type { ChunkIndex, IndexedDocument } from '../adapters/retrieval/port.ts';
import type { Chunk, SourceDocument } from '../contracts/retrieval.ts';

export interface LiveIndexDeps {
  readonly documents: Pick<DocumentStore, 'changes' | 'counts'>;
  readonly index: ChunkIndex;
  readonly cut: (document: SourceDocument) => Promise<readonly Chunk[]>;
  /** [texts × dimensions]; null where the index holds no vectors. */
  readonly embed: ((texts: readonly string[]) => Promise<Float32Array>) | null;
  /** Told the number of the last change that was taken up. */
  readonly onStep?: (seq: number) => void;
}

/** Changes of one step: little enough that a gateway that ends waits a moment only. */
const AT_ONCE = 32;

export interface LiveIndex {
  readonly index: ChunkIndex;
  /** Everything that was changed before the call is in the index when it is done. */
  takeUp(signal: AbortSignal): Promise<void>;
  cursor(): number;
}

export const openLiveIndex = async (deps: LiveIndexDeps): Promise<LiveIndex> => {
  const { documents, index, cut, embed } = deps;
  let cursor = await index.cursor();
  let last: Promise<void> = Promise.resolve();

  const indexed = async (changes: readonly DocumentChange[]): Promise<IndexedDocument[]> => {
    const cuts = await Promise.all(changes.map(async ({ document }) => (document ? cut(document) : [])));
    const texts = changes.flatMap(({ document }, at) =>
      document ? (cuts[at] ?? []).map((chunk) => embeddedText(document, chunk)) : [],
    );
    const vectors = embed && texts.length > 0 ? await embed(texts) : null;
    const width = vectors ? vectors.length / texts.length : 0;
    let row = 0;
    return changes.map(({ tenant, id, document }, at) => ({
      ...{ tenant, id, title: document?.title ?? '', metadata: document?.metadata ?? {} },
      chunks: (cuts[at] ?? []).map((chunk) => {
        const from = row++ * width;
        return { ...chunk, vector: vectors?.slice(from, from + width) ?? null };
      }),
    }));
  };

  const catchUp = async (signal: AbortSignal): Promise<void> => {
    for (;;) {
      signal.throwIfAborted();
      const changes = await documents.changes(cursor, AT_ONCE);
      const newest = changes.at(-1)?.seq;
      if (newest === undefined) return;
      await index.apply({ cursor: newest, documents: await indexed(changes) });
      cursor = newest;
      deps.onStep?.(newest);
    }
  };

  return {
    index,
    cursor: () => cursor,
    takeUp: (signal) => {
      const mine = last.then(() => catchUp(signal));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
};

/** What a chunk means depends on what it stands under. */
export const embeddedText = ({ title }: Pick<SourceDocument, 'title'>, { headings, text }: Chunk): string =>
  [title, ...headings, text].filter((part) => part !== '').join(' ');
