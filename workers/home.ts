/** What every process of a home is wired from: its stores, its services, and the built-in stages' needs. */
import type { StageDeps } from '../activities/stage-deps.ts';
import { folderArtifacts } from '../adapters/artifacts/folder.ts';
import { sqliteControl } from '../adapters/control/sqlite.ts';
import { homePaths } from '../adapters/home.ts';
import { sqliteQueryLog } from '../adapters/query-log/sqlite.ts';
import { readJudgedQueries } from '../adapters/service/data.ts';
import { type Services, servicesOf } from '../adapters/service/services.ts';
import { logVitals } from '../adapters/vitals/log.ts';
import type { Environment } from '../infra/setup/environment.ts';

export interface HomeDeps extends StageDeps {
  readonly services: Services;
  close(): void;
}

export const openHome = ({ home, environment }: Environment): HomeDeps => {
  const paths = homePaths(home);
  const control = sqliteControl(paths.control);
  const queryLog = sqliteQueryLog(paths.metrics);
  const services = servicesOf(home, environment);
  return {
    control,
    queryLog,
    services,
    artifacts: folderArtifacts(paths.artifacts),
    vitals: logVitals({
      queryLog,
      judged: async (service) => readJudgedQueries(await services.config(service), 'live'),
    }),
    indexFolder: paths.indexes,
    now: Date.now,
    close: () => {
      control.close();
      queryLog.close();
    },
  };
};
