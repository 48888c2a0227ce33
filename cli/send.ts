/** Sends what a person says to a guardian or a cycle, and turns the answer into a reply or an error. */
import type { UpdateDefinition, WithStartWorkflowOperation, Workflow } from '@temporalio/client';
import { PawlError } from '../contracts/failures.ts';
import type { Answer, Loosening } from '../contracts/messages.ts';
import type { Context } from './context.ts';
import { type Permission, type Signing, signPermission } from './operator.ts';
import type { Reply } from './output.ts';
import { bold, dim, good } from './text.ts';

type Next = NonNullable<Reply['next']>;

/** With a start, because whoever first has something to tell a guardian is who starts it. */
export const tell = <W extends Workflow, M>(
  context: Context,
  what: string,
  update: UpdateDefinition<Answer, [M]>,
  message: M,
  start: WithStartWorkflowOperation<W>,
  patienceMs?: number,
): Promise<Answer> =>
  context.ask(
    what,
    (client) => client.workflow.executeUpdateWithStart(update, { args: [message], startWorkflowOperation: start }),
    patienceMs,
  );

export const tellCycle = <M>(
  context: Context,
  update: UpdateDefinition<Answer, [M]>,
  message: M,
  workflowId: string,
): Promise<Answer> =>
  context.ask(`waiting for ${workflowId}`, (client) =>
    client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] }),
  );

export const replyTo = (answer: Answer, subject: string, next: Next = []): Reply => {
  if (!answer.accepted) throw new PawlError('Refused', `${subject}: ${answer.because}`);
  return {
    data: { subject, accepted: true, what: answer.what },
    lines: [[good('✓ '), bold(subject), ': ', answer.what]],
    next,
  };
};

export interface Signed {
  readonly permission: Permission;
  readonly lifeMs: number | undefined;
  /** Whose key signs, and how it is opened. */
  readonly signing: Signing;
  /** What goes beside the token. */
  readonly beside?: Readonly<Record<string, string>>;
}

/** The message as the Web UI's signal (or update) form takes it. */
export const printed = async (context: Context, kind: 'signal' | 'update', signed: Signed): Promise<Reply> => {
  const { action, workflow } = signed.permission;
  const input = { ...signed.beside, ...(await signedMessage(context, signed)) };
  const text = JSON.stringify(input);
  return {
    data: { kind, name: action, workflowId: workflow, input },
    lines: [
      [dim('In the Web UI: '), workflow, kind === 'signal' ? ' → Send a Signal' : ' → Send an Update'],
      [dim('Name:          '), action],
      [dim('Input (JSON):  '), text],
    ],
    next: [
      [
        'Or in a shell',
        `temporal workflow ${kind === 'signal' ? 'signal' : 'update execute'} --workflow-id '${workflow}' --name ${action} --input '${text}'`,
      ],
    ],
  };
};

export const signedMessage = async (context: Context, { permission, signing, lifeMs }: Signed): Promise<Loosening> => ({
  token: await signPermission(context, permission, signing, lifeMs),
});
