/** What every process of a home is wired from: its stores, its services, and the built-in stages' needs. */
import type { StageDeps } from '../activities/stage-deps.ts';
import { artifactsOf } from '../adapters/artifacts/of-environment.ts';
import { controlOf } from '../adapters/control/of-environment.ts';
import { feedbackOf } from '../adapters/feedback/of-environment.ts';
import type { FeedbackStore } from '../adapters/feedback/port.ts';
import { homePaths } from '../adapters/home.ts';
import { type People, readPeople } from '../adapters/keys/people.ts';
import { pinLedgerKey } from '../adapters/ledger/pinned-key.ts';
import { type CedarPolicy, cedarPolicy } from '../adapters/policy/cedar.ts';
import { queryLogOf } from '../adapters/query-log/of-environment.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import { readJudgedQueries } from '../adapters/service/data.ts';
import { type Services, servicesOf } from '../adapters/service/services.ts';
import { logVitals } from '../adapters/vitals/log.ts';
import type { PawlError } from '../contracts/failures.ts';
import type { Environment } from '../infra/setup/environment.ts';

export interface HomeDeps extends StageDeps {
  readonly queryLog: QueryLog;
  readonly services: Services;
  readonly policy: CedarPolicy;
  readonly feedback: FeedbackStore;
  people(): Promise<People>;
  close(): void;
}

export const openHome = ({ home, environment, artifacts, store }: Environment): HomeDeps => {
  const paths = homePaths(home);
  const control = controlOf({ home, store });
  const queryLog = queryLogOf({ home, store });
  const feedback = feedbackOf({ home, store });
  const services = servicesOf(home, environment);
  // A ledger that is not the pinned one is told, and stops nobody: rollbacks and kills need these processes.
  control
    .ledgerKey()
    .then((vkey) => vkey && pinLedgerKey(home, vkey))
    .catch(({ message, hint }: PawlError) => process.emitWarning(`${message}. ${hint ?? ''}`, 'PawlWarning'));
  return {
    control,
    queryLog,
    feedback,
    services,
    policy: cedarPolicy({ home }),
    people: () => readPeople(home),
    artifacts: artifactsOf({ artifacts }, paths.artifacts),
    vitals: logVitals({
      queryLog,
      feedback,
      judged: async (service) => readJudgedQueries(await services.config(service), 'live'),
    }),
    indexFolder: paths.indexes,
    now: Date.now,
    close: () => {
      control.close();
      feedback.close();
      queryLog.close();
    },
  };
};
