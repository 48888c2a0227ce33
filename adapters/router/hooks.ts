/**
 * Tells, or asks, a server of the service's owner: the hooks of a canary, and restart and scale of a remediation.
 *
 * 1. One answer comes, in bounded time: yes, or no and why. Silence is a no.
 * 2. Within that time it is tried again where that can help. The key is the same, so that a receiver can drop a repetition.
 * 3. 2xx is a yes, unless its body is JSON with `ok: false`; `because` in it is told to people.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Hook } from '../../contracts/canary.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { answeredWith, guardedRequest } from '../notifier/guarded-request.ts';
import { requestHeaders } from '../notifier/signature.ts';
import type { HookDeps } from './http.ts';

const BETWEEN_MS = 250;
const LONGEST_ANSWER = 16 * 1_024;
const LONGEST_REASON = 500;

export interface HookAnswer {
  readonly ok: boolean;
  readonly because: string;
}
/** What goes out; `key` is the same for every attempt. */
export type HookMessage = { readonly key: string } & Readonly<Record<string, unknown>>;
export interface HookCallDeps extends HookDeps {
  /** Hosts with their ports that may be private and speak plain http. */
  readonly allow: readonly string[];
}

/** A hook that is an activity of the owner's is not called here: the workflow calls it, on its queue. */
export const callHook = async (
  { name, runs, timeoutMs }: Pick<Hook, 'name' | 'runs' | 'timeoutMs'>,
  message: HookMessage,
  deps: HookCallDeps,
): Promise<HookAnswer> => {
  if (!('url' in runs)) throw new PawlError('Usage', `The hook ${name} is an activity, and has no address.`);
  const url = new URL(runs.url);
  const to = { what: `hook ${name}`, url, allow: deps.allow, lookup: deps.lookup };
  const body = JSON.stringify({ hook: name, ...message });
  const headers = async () =>
    requestHeaders(await deps.secret(), { method: 'POST', url, seconds: Math.floor(deps.now() / 1_000), body });
  const until = performance.now() + timeoutMs;
  for (;;) {
    const left = Math.max(1, Math.ceil(until - performance.now()));
    try {
      const answer = await guardedRequest(to, {
        ...{ method: 'POST', headers, body, timeoutMs: left, mostBytes: LONGEST_ANSWER },
      });
      if (answer.status >= 400) throw answeredWith(to, answer.status);
      return answerIn(answer.text, answer.status);
    } catch (error) {
      if (!(error instanceof PawlError)) throw error;
      const again = failures[error.type].retryable && until - performance.now() > BETWEEN_MS;
      if (!again) return { ok: false, because: error.message };
      await pause(BETWEEN_MS);
    }
  }
};

const answerIn = (text: string, status: number): HookAnswer => {
  const said = jsonIn(text);
  const because = typeof said?.because === 'string' ? said.because.slice(0, LONGEST_REASON) : null;
  if (said?.ok === false) return { ok: false, because: because ?? 'it said no' };
  return { ok: true, because: because ?? `it answered with ${status}` };
};

const jsonIn = (text: string): { ok?: unknown; because?: unknown } | null => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
};
