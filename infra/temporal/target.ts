import { type ClientConnectConfig, loadClientConnectConfig } from '@temporalio/envconfig';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { PawlError } from '../../contracts/failures.ts';
import type { Environment } from '../setup/environment.ts';
import { readUpFile } from '../up/up-file.ts';

export interface TemporalTarget {
  readonly address: string;
  readonly namespace: string;
  /** Address of the Web UI where it is known: that of `pawl up`, or the dev server's usual place. */
  readonly ui: string | null;
  /** TLS, API key and headers of the user's Temporal profile. */
  readonly options: NativeConnectionOptions;
}

const DEFAULT_PORT = 7233;

/**
 * Which Temporal is meant: PAWL_TEMPORAL_ADDRESS, then the `pawl up` of this home, then the user's Temporal profile
 * (temporal.toml and TEMPORAL_*), then the dev server's usual address.
 */
export function temporalTarget(environment: Environment): TemporalTarget {
  const namespace = environment.namespace;
  const profile = userProfile(environment);
  const { address: profileAddress, ...security } = profile.connectionOptions;
  if (environment.temporalAddress) {
    return {
      address: environment.temporalAddress,
      namespace: namespace ?? profile.namespace ?? 'default',
      ui: localUi(environment.temporalAddress),
      options: environment.temporalAddress === profileAddress ? security : {},
    };
  }
  const up = readUpFile(environment.state);
  if (up) return { ...up.temporal, namespace: namespace ?? up.temporal.namespace, options: {} };
  if (profileAddress && environment.temporalPort === null) {
    return {
      address: profileAddress,
      namespace: namespace ?? profile.namespace ?? 'default',
      ui: localUi(profileAddress),
      options: security,
    };
  }
  const address = `127.0.0.1:${environment.temporalPort ?? DEFAULT_PORT}`;
  return { address, namespace: namespace ?? 'default', ui: localUi(address), options: {} };
}

export const workflowLink = ({ ui, namespace }: TemporalTarget, workflowId: string): string | null =>
  ui && `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;

function userProfile({ variables }: Environment): ClientConnectConfig {
  const set = Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set) });
  } catch (error) {
    throw new PawlError('ConfigInvalid', `Your Temporal profile cannot be read: ${String(error)}`, {
      hint: 'Correct temporal.toml or the TEMPORAL_* variables (`temporal config list` shows them), or set PAWL_TEMPORAL_ADDRESS.',
      cause: error,
    });
  }
}

/** The dev server's Web UI stands 1000 ports above; of a remote server nothing is known. */
function localUi(address: string): string | null {
  const [, host, port] = /^(127\.0\.0\.1|localhost):(\d+)$/.exec(address) ?? [];
  return host ? `http://${host}:${Number(port) + 1_000}` : null;
}
