/**
 * The hooks of a canary that are servers. Where each one's secret lies, and which private hosts it may be at, says pawl.yaml;
 * neither travels with the order.
 */
import { readSecret, type SecretPlaces } from '../adapters/notifier/secret.ts';
import { callHook } from '../adapters/router/hooks.ts';
import type { HookDeps } from '../adapters/router/http.ts';
import type { CanaryActivities, Hook } from '../contracts/canary.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import { isForGood } from './rulings.ts';

export interface CallDeps extends Pick<HookDeps, 'now' | 'lookup'> {
  readonly services: { config(service: string): Promise<Pick<ServiceConfig, 'canary' | 'folder'>> };
  readonly variables: SecretPlaces['variables'];
}

/** An answer must come before Temporal gives the attempt up, which it does after the time that the hook has. */
const SHARE_OF_TIME = 0.8;

export const createHookActivities = (deps: CallDeps): Pick<CanaryActivities, 'callHook'> => ({
  // Repeated under the same key, by which its receiver can tell that it was asked before.
  async callHook({ hook, key, trial, what }) {
    const { service, cycle, environment, champion, challenger, evidence, requestedBy } = trial;
    try {
      const { canary, folder } = await deps.services.config(service);
      const known = canary?.hooks.find(({ name, url }) => name === hook.name && url === urlOf(hook));
      const reference = known?.secret;
      if (known === undefined || reference === undefined) return unknown(hook);
      const about = { service, cycle, environment, champion, challenger, evidence, requestedBy };
      const secret = () => readSecret(reference, { variables: deps.variables, folder });
      const timeoutMs = Math.ceil(SHARE_OF_TIME * hook.timeoutMs);
      return await callHook({ ...hook, timeoutMs }, { key, what, ...about }, { ...deps, allow: known.allow, secret });
    } catch (error) {
      if (!isForGood(error)) throw error;
      return { ok: false, because: (error as Error).message };
    }
  },
});

const urlOf = ({ runs }: Hook): string | null => ('url' in runs ? runs.url : null);

const unknown = (hook: Hook) => ({
  ok: false,
  because: `pawl.yaml has no hook ${hook.name} at ${urlOf(hook) ?? 'an address'} any more, so nothing says with which secret to call it`,
});
