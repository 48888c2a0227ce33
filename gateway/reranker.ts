/** Puts the best candidates of a search in a new order. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { StoredChunk } from '../adapters/retrieval/port.ts';
import type { RerankSettings, Standing } from '../contracts/retrieval.ts';
import { type Tokenising, tokens } from '../domain/tokens.ts';
import { featuresOf } from '../ml/rerank/features.ts';
import { loadFusion, openFusion } from '../ml/rerank/fusion.ts';
import type { Encoders } from './encoders.ts';
import { embeddedText } from './live-index.ts';

export interface Candidate {
  readonly chunk: StoredChunk;
  readonly lexical: Standing | null;
  readonly dense: Standing | null;
}

export interface Reranker {
  readonly depth: number;
  /** A score for each candidate, in their order. */
  scores(query: string, candidates: readonly Candidate[], how: RerankContext): Promise<Float32Array>;
  release(): Promise<void>;
}
export interface RerankContext {
  readonly tokenising: Tokenising;
  /** So many each leg was asked for. */
  readonly legDepth: number;
}

export interface RerankerDeps {
  readonly encoders: Encoders;
  readonly artifacts: Pick<ArtifactStore, 'get'>;
}

export const openReranker = async (settings: RerankSettings, deps: RerankerDeps): Promise<Reranker> => {
  const { depth } = settings;
  if (settings.kind === 'cross-encoder') {
    const encoder = await deps.encoders.take(settings.encoder);
    return {
      depth,
      scores: (query, candidates) =>
        encoder.score(
          candidates.map(({ chunk }) => [query, embeddedText(chunk, chunk)] as const),
          settings.maxLength,
        ),
      release: () => encoder.release(),
    };
  }
  const fusion = await openFusion(await networkOf(await deps.artifacts.get(settings.network)));
  return {
    depth,
    scores: (query, candidates, { tokenising, legDepth }) => {
      const sources = candidates.map(({ chunk, lexical, dense }) => {
        const title = tokens([chunk.title, ...chunk.headings].join(' '), tokenising);
        return { lexical, dense, title, tokens: [...title, ...tokens(chunk.text, tokenising)] };
      });
      return fusion.scores(featuresOf(tokens(query, tokenising), sources, legDepth + 1));
    },
    release: () => fusion.close(),
  };
};

/** A network is read from a file; what is in it is checked there. */
const networkOf = async (bytes: Uint8Array) => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-network-'));
  try {
    const path = join(folder, 'network.safetensors');
    await writeFile(path, bytes);
    return loadFusion(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
