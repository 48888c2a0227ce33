/** Tells a server over HTTP. What it answers is dropped unread. */
import { createHash } from 'node:crypto';
import type { Webhook } from '../../contracts/config.ts';
import type { Notice } from '../../contracts/notice.ts';
import { answeredWith, guardedRequest, type Lookup } from './guarded-request.ts';
import type { Notifier } from './port.ts';
import { signatureHeaders } from './signature.ts';

const TIMEOUT_MS = 5_000;
/** Summaries come from stages, and may be anything. */
const LONGEST_TEXT = 4_000;

export interface WebhookDeps {
  /** Read at each use, so that a secret can be changed while a worker runs. */
  secret(): Promise<string>;
  now(): number;
  readonly lookup?: Lookup;
  readonly timeoutMs?: number;
}

export const webhookNotifier = (
  { webhook, allow }: Pick<Webhook, 'webhook' | 'allow'>,
  deps: WebhookDeps,
): Notifier => {
  const { lookup, timeoutMs = TIMEOUT_MS } = deps;
  const to = { what: 'webhook', url: new URL(webhook), allow, lookup };
  return {
    tell: async (notice) => {
      const message = messageOf(notice);
      const body = JSON.stringify(message);
      const headers = async () =>
        signatureHeaders(await deps.secret(), message.id, Math.floor(deps.now() / 1_000), body);
      const { status } = await guardedRequest(to, { method: 'POST', headers, body, timeoutMs, mostBytes: 0 });
      if (status >= 400) throw answeredWith(to, status);
    },
  };
};

/** What goes out: the same for every attempt, so that the id alone tells a receiver that it has it already. */
const messageOf = ({ key, type, at, service, cycle, text, approval, roles, command }: Notice) => ({
  id: `msg_${createHash('sha256').update(key).digest('hex').slice(0, 32)}`,
  type,
  at,
  service,
  cycle,
  text: text.slice(0, LONGEST_TEXT),
  ...(approval && { approval: { ...approval, summary: approval.summary.slice(0, LONGEST_TEXT) } }),
  ...(roles && { roles }),
  ...(command !== undefined && { command }),
});
