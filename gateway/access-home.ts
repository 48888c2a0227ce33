import { createKeyring } from '../adapters/access/keyring.ts';
import { accessOf } from '../adapters/access/of-environment.ts';
import { tokenHasher } from '../adapters/access/token.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { HomePaths } from '../adapters/home.ts';
import type { CedarPolicy } from '../adapters/policy/cedar.ts';
import { type AccessMode, isLoopback } from '../contracts/access.ts';
import type { GatewaySettings, ServiceConfig } from '../contracts/config.ts';
import type { Environment } from '../infra/setup/environment.ts';
import type { GatewayAccess } from './access.ts';
import { DEFAULT_RATES } from './limits-rate.ts';

export interface AccessHome {
  readonly environment: Pick<Environment, 'home' | 'store'>;
  readonly paths: Pick<HomePaths, 'keys'>;
  readonly control: Pick<ControlStore, 'note'>;
  readonly policy: CedarPolicy;
  readonly now: () => number;
  readonly settings: GatewaySettings;
  readonly configs: ReadonlyArray<Pick<ServiceConfig, 'service' | 'environment'>>;
}

/** Left unsaid, a gateway is open where only this machine reaches it. That `open` is not said elsewhere, pawl.yaml sees to. */
export const modeOf = ({ access, host }: GatewaySettings): AccessMode => access ?? (isLoopback(host) ? 'open' : 'keys');

/** What a gateway knows of who may ask it, as the home has it. */
export const openAccess = (home: AccessHome): GatewayAccess & { close(): void } => {
  const { paths, control, policy, now, settings, configs } = home;
  const mode = modeOf(settings);
  const { perAddress = mode === 'open' ? null : DEFAULT_RATES.perAddress, perKey = DEFAULT_RATES.perKey } =
    settings.limits;
  const store = accessOf(home.environment);
  return {
    mode,
    keys: createKeyring({ store, control, now, hash: tokenHasher(paths.keys) }),
    policy,
    environments: new Map(configs.map(({ service, environment }) => [service, environment])),
    rates: { perAddress, perKey },
    trustProxy: settings.trustProxy,
    close: () => store.close(),
  };
};
