import { ApplicationFailure, isCancellation, workflowInfo } from '@temporalio/workflow';
import type { TriggerInput } from '../contracts/guardian.ts';
import { fieldOf } from '../contracts/message-shapes.ts';
import type { Admission } from '../contracts/messages.ts';
import { breachesOf } from '../domain/remediation.ts';
import { reasonOf } from './failure.ts';
import { ask, fastLook, messenger, store } from './options.ts';

/**
 * What schedules, the Web UI and `temporal workflow start` start. It asks the guardian, which answers with the cycle's id
 * or why not; nobody starts a cycle around the guardian.
 */
export async function trigger(input: TriggerInput): Promise<Admission> {
  // A person types this input into a form.
  const service = fieldOf(input, 'service');
  if (service === null) throw ApplicationFailure.nonRetryable('expected an input such as {"service": "docs"}', 'Usage');
  if (input.kind === 'fix') return quickFix({ ...input, service });
  const { reason, trigger, requestedBy, token, challenger } = input;
  const { workflowId, runId } = workflowInfo();
  return ask.admit({
    service,
    request: {
      key: `${workflowId}/${runId}`,
      trigger: trigger ?? 'hand',
      requestedBy: requestedBy ?? { kind: 'trigger', name: workflowId },
      reason: reason ?? 'started by hand',
      ...(token === undefined ? {} : { token }),
      ...(challenger === undefined ? {} : { challenger }),
    },
  });
}

/** What breaks is found by a look at the fast gates; what is breached is the guardian's to have mended. */
const quickFix = async ({ service, requestedBy, reason = 'a quick look' }: TriggerInput): Promise<Admission> => {
  const { workflowId, runId } = workflowInfo();
  const since = new Date().toISOString();
  const seen = await fastLook.lookForBreach({ service }).catch(unseen);
  if ('because' in seen) return { admitted: false, because: seen.because };
  const { champion, findings } = seen;
  const breaches = breachesOf(findings);
  if (champion === null || breaches.length === 0) return { admitted: false, because: 'no fast gate is breached' };
  const because = breaches.map((finding) => finding.because).join('; ');
  const actor = requestedBy ?? { kind: 'trigger', name: workflowId };
  const key = `${workflowId}/${runId}`;
  const request = { key, requestedBy: actor, reason: `${reason}: ${because}`, findings: breaches, champion, since };
  const answer = await ask.askFix({ service, request });
  if (answer.admitted) return { admitted: true, cycle: answer.fix, workflowId: answer.workflowId };
  if (answer.ask) await askPeople(service, `${because}; ${answer.because}`);
  return { admitted: false, because: answer.because };
};

/** Nothing was seen, so nothing is breached as far as anybody knows; the next look is not far. */
const unseen = (error: unknown): { readonly because: string } => {
  if (isCancellation(error)) throw error;
  return { because: `the fast gates could not be looked at: ${reasonOf(error)}` };
};

/** The guardian has refused one more, and this one is to tell. It is told once an hour, whether or not it arrives. */
const askPeople = async (service: string, because: string): Promise<void> => {
  const { workflowId, runId } = workflowInfo();
  const key = `${workflowId}/${runId}/notice`;
  const command = `pawl fix start ${service} --remedy previous --reason "…"`;
  const notice = { key, type: 'fix.asked', at: new Date().toISOString(), service, cycle: '', command } as const;
  try {
    await messenger.notify({ ...notice, text: `${service}: ${because}` });
  } catch (error) {
    const row = { key: `${key}/failed`, service, cycle: null, kind: 'notification failed', reason: reasonOf(error) };
    const actor = { kind: 'trigger', name: workflowId };
    await store.note({ entries: [{ ...row, actor, body: { type: notice.type, key } }] });
  }
};
