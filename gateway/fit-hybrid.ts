/**
 * Settings of a hybrid search by measurement: the fusion that the judged queries of this corpus call for, which is often
 * none.
 */
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import { recipeOf, tokenisingOf } from '../adapters/hybrid/variant.ts';
import type { ChunkIndex } from '../adapters/retrieval/port.ts';
import { DEFAULT_TENANT } from '../contracts/access.ts';
import type { FusionSettings, HybridContent, HybridSettings } from '../contracts/retrieval.ts';
import { fuse } from '../domain/fusion.ts';
import { chooseFusion, type FusionChoice, type JudgedLegs } from '../domain/fusion-choice.ts';
import type { JudgedQuery } from '../domain/rank-metrics.ts';
import { type Calibrated, calibrate, type JudgedHits } from '../domain/threshold.ts';
import type { HybridEngineDeps } from './hybrid-engine.ts';
import { documentsOf, legsOf } from './hybrid-search.ts';
import { type LearnedOrder, learnOrder, type ShownQuery } from './learned-order.ts';
import { recipeIndex } from './recipe-index.ts';
import { networkBytes } from './reranker.ts';

export interface FitDeps extends Pick<HybridEngineDeps, 'service' | 'documents' | 'indexes' | 'encoders'> {
  readonly artifacts: Pick<ArtifactStore, 'put'>;
  readonly tell: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface FittedHybrid {
  readonly settings: HybridSettings;
  /** null: too few judged queries to tell, so the settings are those that were given. */
  readonly choice: FusionChoice<Leg> | null;
  /** null: nobody asked for one. */
  readonly calibrated: Calibrated | null;
  /** null: nobody asked for one, or there are too few judged queries. It is part of the settings where it gains. */
  readonly learned: LearnedOrder | null;
}

export interface FitWishes {
  readonly threshold: boolean;
  readonly rerank: boolean;
}
type Leg = 'lexical' | 'dense';

const SEED = 1;
const RERANKED = 20;

/** Builds the index first: a gateway that serves these settings finds it ready. */
export async function fitHybrid(
  settings: HybridSettings,
  judged: readonly JudgedQuery[],
  deps: FitDeps & FitWishes,
): Promise<FittedHybrid> {
  const { service, encoders, artifacts, tell } = deps;
  const content: HybridContent = { kind: 'hybrid', service, settings, recipe: recipeOf(settings) };
  const { seq } = await deps.documents.counts();
  const onStep = (done: number): void => tell(`cutting and embedding documents: change ${done} of ${seq}`);
  const index = recipeIndex({ ...deps, content, onStep });
  const encoder = settings.dense ? await encoders.take(settings.dense) : null;
  try {
    await index.takeUp();
    const queries: JudgedLegs<Leg>[] = [];
    const vectors: (Float32Array | null)[] = [];
    for (const [at, { text: query, judgements }] of judged.entries()) {
      const question = { query, tenant: DEFAULT_TENANT, filter: {} };
      const { legs, vector } = await index.ask((now) => legsOf({ settings, index: now, encoder }, question));
      vectors.push(vector);
      queries.push({ legs: { lexical: legs.lexical, dense: legs.dense }, judgements });
      tell(`${at + 1} of ${judged.length} judged queries asked`);
    }
    const choice =
      settings.lexical && settings.dense ? chooseFusion(queries, { depth: settings.fusion.depth, seed: SEED }) : null;
    const fusion = choice?.settings ?? settings.fusion;
    const calibrated =
      deps.threshold && settings.dense ? calibrate(queries.map((query) => hitsOf(query, fusion))) : null;
    const how = { tokenising: tokenisingOf(settings.lexical), legDepth: fusion.depth };
    const learned = deps.rerank
      ? await index.ask(async (now) =>
          learnOrder(await shownOf(now, judged, queries, vectors, fusion), how, { seed: SEED, tell }),
        )
      : null;
    const rerank =
      learned && learned.gain.low > 0
        ? ({
            kind: 'fusion',
            network: await artifacts.put(await networkBytes(learned.network)),
            depth: RERANKED,
          } as const)
        : null;
    const threshold = calibrated?.threshold ?? null;
    return { choice, calibrated, learned, settings: { ...settings, fusion, threshold, rerank } };
  } finally {
    await encoder?.release();
    await index.close();
  }
}

/** Each judged query with its best parts, as the gateway gives them to a reranker. */
export const shownOf = async (
  index: ChunkIndex,
  judged: readonly JudgedQuery[],
  queries: readonly JudgedLegs<Leg>[],
  vectors: readonly (Float32Array | null)[],
  settings: FusionSettings,
): Promise<ShownQuery[]> => {
  const shown: ShownQuery[] = [];
  for (const [at, { legs }] of queries.entries()) {
    const query = judged[at];
    if (!query) continue;
    const documents = documentsOf(legs);
    const fused = fuse(legs, settings);
    const head = fused.slice(0, RERANKED);
    const chunks = await index.chunks(
      DEFAULT_TENANT,
      head.map(({ key }) => key),
    );
    const byKey = new Map(chunks.map((chunk) => [chunk.key, chunk]));
    const candidates = head.flatMap(({ key, legs: { lexical, dense } }) => {
      const chunk = byKey.get(key);
      return chunk ? [{ chunk, lexical, dense }] : [];
    });
    const rest = fused.slice(RERANKED).map(({ key }) => documents.get(key) ?? key);
    shown.push({ id: query.id, query, vector: vectors[at] ?? null, candidates, rest });
  }
  return shown;
};

/** Documents by their best part, as they are answered. */
const hitsOf = ({ legs, judgements }: JudgedLegs<Leg>, settings: FusionSettings): JudgedHits => {
  const documents = documentsOf(legs);
  const hits = new Map<string, number | null>();
  for (const { key, legs: standing } of fuse(legs, settings)) {
    const document = documents.get(key) ?? key;
    if (!hits.has(document)) hits.set(document, standing.lexical ? null : (standing.dense?.score ?? null));
  }
  return { judgements, hits: [...hits].map(([document, similarity]) => ({ document, similarity })) };
};
