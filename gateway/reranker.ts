/** Puts the best candidates of a search in a new order. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { StoredChunk } from '../adapters/retrieval/port.ts';
import type { RerankSettings, Standing } from '../contracts/retrieval.ts';
import type { Tokenising } from '../domain/tokens.ts';
import type { Network } from '../ml/network/network.ts';
import { loadFusion, openFusion, saveFusion } from '../ml/rerank/fusion.ts';
import type { Encoders } from './encoders.ts';
import { candidateFeatures } from './learned-order.ts';
import { embeddedText } from './live-index.ts';

export interface Candidate {
  readonly chunk: StoredChunk;
  readonly lexical: Standing | null;
  readonly dense: Standing | null;
}

export interface Reranker {
  readonly depth: number;
  /** A score for each candidate, in their order. */
  scores(query: AskedQuery, candidates: readonly Candidate[], how: RerankContext): Promise<Float32Array>;
  release(): Promise<void>;
}
export interface AskedQuery {
  readonly text: string;
  /** null where nothing is searched by meaning. */
  readonly vector: Float32Array | null;
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
          candidates.map(({ chunk }) => [query.text, embeddedText(chunk, chunk)] as const),
          settings.maxLength,
        ),
      release: () => encoder.release(),
    };
  }
  const fusion = await openFusion(await networkOf(await deps.artifacts.get(settings.network)));
  return {
    depth,
    scores: (query, candidates, how) => fusion.scores(candidateFeatures(query, candidates, how)),
    release: () => fusion.close(),
  };
};

/** As it is kept: a file that says what each of its inputs means. */
export const networkBytes = async (network: Network): Promise<Uint8Array> =>
  inFolder(async (path) => {
    saveFusion(path, network);
    return readFile(path);
  });

/** A network is read from a file; what is in it is checked there. */
const networkOf = (bytes: Uint8Array): Promise<Network> =>
  inFolder(async (path) => {
    await writeFile(path, bytes);
    return loadFusion(path);
  });

const inFolder = async <T>(work: (path: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-network-'));
  try {
    return await work(join(folder, 'network.safetensors'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
