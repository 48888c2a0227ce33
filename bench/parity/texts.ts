/** What becomes of a text: its token ids, and its embedding. */
import { encoderGraph } from '../../ml/encoder/graph.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { tokenFeeds, tokenInputs } from '../../ml/encoder/tokens.ts';
import { Graph } from '../../ml/graph/graph.ts';
import { openSession, type SessionChoice } from '../../ml/session/session.ts';
import { openTokenizer, type Tokens } from '../../ml/tokenizer/open.ts';
import { type Compared, factsOf, floats, type References, relativeError, tensorsOf } from './references.ts';

export const MAX_LENGTH = 48;

interface TokenFacts {
  readonly texts: readonly string[];
  readonly pairs: readonly (readonly [string, string])[];
  readonly cases: readonly {
    readonly maxLength: number;
    readonly ids: readonly (readonly number[])[];
    readonly pairIds: readonly (readonly number[])[];
    readonly pairTypes: readonly (readonly number[])[];
  }[];
}

/** How many texts have other ids than Hugging Face's own tokenizer gives them. */
export async function tokenIds(references: References): Promise<Compared[]> {
  const { texts, pairs, cases } = factsOf<TokenFacts>(references, 'tokenizer');
  const tokenizer = openTokenizer(references.model);
  return cases.flatMap(({ maxLength, ids, pairIds, pairTypes }) => {
    const single = tokenizer.encode(texts, maxLength);
    const pair = tokenizer.encodePairs(pairs, maxLength);
    return [
      { what: `texts of up to ${maxLength} tokens`, error: different(rowsOf(single, single.ids), ids) },
      { what: `pairs of up to ${maxLength} tokens`, error: different(rowsOf(pair, pair.ids), pairIds) },
      { what: `types of such pairs`, error: different(rowsOf(pair, pair.types ?? new Int32Array()), pairTypes) },
    ];
  });
}

const rowsOf = ({ lengths }: Tokens, values: Int32Array): string[] => {
  let end = 0;
  return Array.from(lengths, (length) => {
    end += length;
    return String(values.slice(end - length, end));
  });
};

const different = (found: readonly string[], expected: readonly (readonly number[])[]): number =>
  expected.filter((row, n) => found[n] !== String(row)).length + Math.abs(found.length - expected.length);

/** Both poolings, normalised and raw, whichever of them the model itself has. */
export async function embeddings(references: References, choice: SessionChoice): Promise<Compared[]> {
  const { texts } = factsOf<{ texts: readonly string[] }>(references, 'embeddings');
  const expected = tensorsOf(references, 'embeddings');
  const base = openEncoder(references.model);
  const feeds = tokenFeeds(openTokenizer(references.model).encode(texts, MAX_LENGTH));
  const compared: Compared[] = [];
  for (const pooling of ['mean', 'cls'] as const) {
    for (const normalise of [true, false]) {
      const graph = new Graph();
      const model = { ...base, pooling, normalise };
      graph.output('embeddings', encoderGraph(graph, model, tokenInputs(graph), { training: false }));
      const session = await openSession(graph.toModel(), model.folder, choice);
      const { embeddings: found } = await session.run(feeds);
      await session.close();
      const name = normalise ? pooling : `${pooling}-raw`;
      compared.push({ what: name, error: relativeError(found?.data ?? [], floats(expected, name)) });
    }
  }
  return compared;
}
