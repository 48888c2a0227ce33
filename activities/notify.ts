import type { LookupAddress } from 'node:dns';
import { Context } from '@temporalio/activity';
import type { Notifier } from '../adapters/notifier/port.ts';
import { readSecret, type SecretPlaces } from '../adapters/notifier/secret.ts';
import { webhookNotifier } from '../adapters/notifier/webhook.ts';
import type { ServiceConfig } from '../contracts/config.ts';
import type { ControlActivities } from '../contracts/control.ts';
import { PawlError } from '../contracts/failures.ts';
import { failing } from './failure.ts';

export interface NotifyDeps {
  readonly services: { config(service: string): Promise<Pick<ServiceConfig, 'notify' | 'folder'>> };
  /** Hears everything. */
  readonly console: Notifier;
  readonly variables: SecretPlaces['variables'];
  now(): number;
  lookup?(host: string): Promise<readonly LookupAddress[]>;
}

export const createNotifyActivities = (deps: NotifyDeps): Pick<ControlActivities, 'notify'> =>
  failing({
    // Safe to repeat: the message's id is made of the notice's key, so that who received it before can drop it.
    notify: async (notice) => {
      if (Context.current().info.attempt === 1) await deps.console.tell(notice);
      const { notify, folder } = await deps.services.config(notice.service);
      const meant = notify.filter(({ events }) => events?.includes(notice.type) ?? true);
      const told = await Promise.allSettled(
        meant.map((webhook) =>
          webhookNotifier(webhook, {
            ...deps,
            secret: () => readSecret(webhook.secret, { variables: deps.variables, folder }),
          }).tell(notice),
        ),
      );
      const failed = told.filter((one) => one.status === 'rejected').map(({ reason }) => reason as Error);
      if (failed.length > 0) throw together(failed);
    },
  });

/** Tried again as long as that can help one of them. */
const together = (failed: readonly Error[]): Error => {
  const [first] = failed;
  const known = failed.filter((error) => error instanceof PawlError);
  const type = known.find(({ type }) => type === 'Unavailable')?.type ?? known[0]?.type ?? 'Internal';
  const hint = known.length === 1 ? known[0]?.hint : undefined;
  const message = failed.map((error) => error.message).join(' ');
  return new PawlError(type, message, { ...(hint !== undefined && { hint }), cause: first });
};
