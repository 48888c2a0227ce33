/** Starts a fine-tune, signed where there is a key, and follows it where that is wished. */
import { loraWorkflowId } from '../contracts/ids.ts';
import type { LoraInput } from '../contracts/lora.ts';
import type { LoraEnd } from '../contracts/lora-messages.ts';
import { queues } from '../contracts/queues.ts';
import { attributesOf } from '../contracts/search-attributes.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';
import { LORA_CODES } from './exit-codes.ts';
import type { NamedLora, StartLora } from './fine-tunes.ts';
import { followLora } from './follow-lora.ts';
import { linkTo } from './links.ts';
import { endLine } from './lora-lines.ts';
import { nameOfUser, type Signing, signBy, signerHere } from './operator.ts';
import type { Reply } from './output.ts';
import { bold, dim, good } from './text.ts';

export const WAIT: Described = ['--wait', 'follow it to its end; the exit code says how it ended'];

export interface Starting extends Signing {
  readonly unsigned: boolean;
  readonly wait: boolean;
}

export const startFineTune = async (context: Context, input: LoraInput, starting: Starting): Promise<Reply> => {
  const { service, id, reason } = input;
  const named: NamedLora = { service, id, workflowId: loraWorkflowId(service, id) };
  const asked = await whoAsks(context, named, reason, starting);
  await context.ask('starting the fine-tune', (client) =>
    client.workflow.start<StartLora>('loraFineTune', {
      workflowId: named.workflowId,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      taskQueue: queues.control,
      args: [{ ...input, ...asked }],
      typedSearchAttributes: attributesOf({ service }),
      staticSummary: `${service}: ${reason}`.slice(0, 200),
    }),
  );
  const started = { ...named, link: await linkTo(context, named.workflowId) };
  const line = [good('✓ '), bold(id), ` started for ${service}`];
  if (!starting.wait) {
    return {
      data: started,
      lines: [line, ...(started.link ? [[dim(started.link)]] : [])],
      next: [['Watch it', `pawl lora watch ${id}`]],
    };
  }
  context.out.note(line);
  return ended(started, await followLora(context, named));
};

export const ended = (named: NamedLora, end: LoraEnd): Reply => ({
  data: { ...named, end },
  lines: [endLine(end)],
  next: end.model
    ? [['Take it elsewhere', `pawl lora export ${named.id} --to adapter`]]
    : end.last && end.last.step > 0
      ? [['Go on from its last checkpoint', `pawl lora resume ${named.id} --reason "…"`]]
      : [['What happened', `pawl lora show ${named.id}`]],
  exitCode: LORA_CODES[end.outcome],
});

const whoAsks = async (
  context: Context,
  { workflowId }: NamedLora,
  reason: string,
  { unsigned, ...signing }: Starting,
): Promise<Pick<LoraInput, 'requestedBy' | 'token'>> => {
  const signer = unsigned ? null : await signerHere(context, signing);
  if (!signer) return { requestedBy: { kind: 'person', name: nameOfUser() } };
  const bound = { action: 'train', workflow: workflowId, step: null, variant: null, evidence: null } as const;
  const token = await signBy(context, signer, { ...bound, reason }, signing);
  return { requestedBy: { kind: 'person', name: signer.person.name }, token };
};
