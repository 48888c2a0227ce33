/**
 * Hard negatives: documents that a retriever ranks high for a query and that do not answer it.
 *
 * 1. A document that is judged relevant is never one.
 * 2. Judgements have gaps: what stands among the first `skip`, or scores more than `ceiling` times what the best judged
 *    answer scores, is likely an answer nobody judged, and teaches the wrong thing (Moreira et al. 2024, NV-Retriever).
 * 3. Retrievers take turns, because each is wrong in its own way; a document is taken once.
 */

/** What one retriever found for a query, best first. */
export interface Found {
  readonly ranked: ReadonlyArray<{ readonly id: string; readonly score: number }>;
  /** The best score of a judged answer; null where the retriever has none, and then nothing is too good. */
  readonly answer: number | null;
}

export interface NegativesRule {
  readonly count: number;
  readonly skip: number;
  readonly ceiling: number;
}

export function hardNegatives(found: readonly Found[], relevant: ReadonlySet<string>, rule: NegativesRule): string[] {
  const queues = found.map(({ ranked, answer }) =>
    ranked
      .slice(rule.skip)
      .filter(({ id, score }) => !relevant.has(id) && (answer === null || score <= rule.ceiling * answer))
      .map(({ id }) => id),
  );
  const taken = new Set<string>();
  const places = queues.map(() => 0);
  for (let turn = 0; taken.size < rule.count; turn++) {
    const queue = turn % queues.length;
    if (queues.every((ids, at) => (places[at] ?? 0) >= ids.length)) break;
    const next = takeNext(queues[queue] ?? [], places[queue] ?? 0, taken);
    places[queue] = next;
  }
  return [...taken];
}

/** Takes the first document from `place` on that is not taken; returns where to go on. */
function takeNext(ids: readonly string[], place: number, taken: Set<string>): number {
  for (let at = place; at < ids.length; at++) {
    const id = ids[at] ?? '';
    if (taken.has(id)) continue;
    taken.add(id);
    return at + 1;
  }
  return ids.length;
}
