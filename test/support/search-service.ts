/** A small judged search service in a folder, with real stores beside it: enough for every stage to do its work. */
import { join } from 'node:path';
import type { StageDeps } from '../../activities/stage-deps.ts';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { readJudgedQueries } from '../../adapters/service/data.ts';
import { logVitals } from '../../adapters/vitals/log.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import type { StageInput } from '../../contracts/stages.ts';
import type { SearchSettings } from '../../contracts/variant.ts';
import { writeSearchData } from '../../drills/search-data.ts';
import { testPlan } from './plan.ts';
import { temporaryFolder } from './temporary-folder.ts';

export const SERVICE = 'docs';
export const NOW = Date.UTC(2026, 10, 21, 12);

export interface SearchService {
  readonly deps: StageDeps;
  readonly config: ServiceConfig;
  readonly champion: string;
  readonly log: ServedQuery[];
  input(stage: StageInput['stage'], plan?: Parameters<typeof testPlan>[0]): StageInput;
  addVariant(settings: SearchSettings): Promise<string>;
  serve(rows: ReadonlyArray<Partial<ServedQuery>>): void;
}

export async function searchService(): Promise<SearchService> {
  const folder = temporaryFolder();
  const config = { folder, data: writeSearchData(folder), cpuHour: 0.04 } as unknown as ServiceConfig;
  const artifacts = folderArtifacts(join(folder, '.pawl/artifacts'));
  const control = sqliteControl(join(folder, '.pawl/control.db'), () => NOW);
  const log: ServedQuery[] = [];
  const queryLog: StageDeps['queryLog'] = {
    read: async ({ service, from, to, variant }) =>
      log.filter(
        (row) => row.service === service && row.at >= from && row.at < to && (!variant || row.variant === variant),
      ),
  };
  const deps: StageDeps = {
    control,
    artifacts,
    queryLog,
    vitals: logVitals({ queryLog, judged: () => readJudgedQueries(config, 'live') }),
    services: { config: async () => config },
    indexFolder: join(folder, '.pawl/index'),
    now: () => NOW,
  };
  const addVariant = async (settings: SearchSettings): Promise<string> => {
    const saved = await saveVariant(artifacts, SERVICE, settings);
    await control.addVariant({ ...saved, service: SERVICE, origin: 'init', createdAt: new Date(NOW).toISOString() });
    return saved.id;
  };
  const champion = await addVariant(DEFAULT_SETTINGS);
  const actor = { kind: 'person', name: 'ada' };
  await control.register({ key: 'register', service: SERVICE, champion, actor, reason: 'a test' });
  return {
    deps,
    config,
    champion,
    log,
    addVariant,
    input: (stage, plan) => ({
      service: SERVICE,
      cycle: 'si_2026_11_21_001',
      stage,
      key: `cycle/${stage}`,
      champion,
      plan: testPlan(plan),
    }),
    serve: (rows) => {
      const usual = {
        at: NOW - 1_000,
        service: SERVICE,
        variant: champion,
        query: 'x',
        ranked: [],
        latencyMs: 5,
        error: null,
        cost: 1e-6,
      };
      log.push(...rows.map((row) => ({ ...usual, ...row })));
    },
  };
}
