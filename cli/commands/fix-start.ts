import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { guardianStart } from '../../adapters/temporal/guardian.ts';
import { PawlError } from '../../contracts/failures.ts';
import { type FixRequest, REMEDIES } from '../../contracts/remediation.ts';
import { fixUpdate } from '../../contracts/remediation-messages.ts';
import { command, flag, REASON, reason, SERVICE, serviceName } from '../command.ts';
import { FIX_CODES } from '../exit-codes.ts';
import { fixEndLine } from '../fix-lines.ts';
import { waitForFix } from '../fixes.ts';
import { linkTo } from '../links.ts';
import { nameOfUser } from '../operator.ts';
import { bold, dim, good } from '../text.ts';

/** The guardian answers in a moment; what takes longer is a worker that does not run yet. */
const PATIENCE_MS = 60_000;

export const fixStart = command({
  name: 'fix start',
  about: 'have what serves mended now, or go back to the champion before',
  details: [
    'Without --remedy the fast gates are looked at, and remedies are tried in the order that has helped before until the breach is over.',
    'With --remedy only that one is taken: `previous` is the way back, and needs no breach. Nothing that a fix does needs a signature: it restarts and scales by the hooks of pawl.yaml, and makes champion only what was champion before, or gold.',
  ].join(' '),
  arguments: [SERVICE],
  options: [
    ['--remedy <name>', `only this one: ${REMEDIES.join(', ')}`],
    REASON,
    ['--wait', 'follow it to its end; the exit code says how it ended'],
  ],
  examples: [
    'pawl fix start --remedy previous --reason "complaints since noon" --wait',
    'pawl fix start docs --reason "slow"',
  ],
  input: z.object({ service: serviceName, remedy: z.enum(REMEDIES).optional(), reason, wait: flag }),
  run: async ({ service: named, remedy, reason, wait }, context) => {
    const service = await context.service(named);
    const request: FixRequest = {
      ...{ key: randomUUID(), requestedBy: { kind: 'person', name: nameOfUser() }, reason, findings: [] },
      ...(remedy !== undefined && { only: remedy }),
    };
    const answer = await context.ask(
      'waiting for the guardian (a worker of pawl-control must run: `pawl worker control`)',
      (client) =>
        client.workflow.executeUpdateWithStart(fixUpdate, {
          args: [request],
          updateId: request.key,
          startWorkflowOperation: guardianStart(service),
        }),
      PATIENCE_MS,
    );
    if (!answer.admitted) {
      const hint = answer.wait
        ? 'Ask again later; `pawl status` shows who has the traffic lane.'
        : `\`pawl kill ${service} --reason "…"\` brings gold back at once.`;
      throw new PawlError('Refused', `${service}: ${answer.because}`, { hint });
    }
    const { fix, workflowId } = answer;
    const started = { service, fix, workflowId, link: await linkTo(context, workflowId) };
    const line = [good('✓ '), bold(fix), ` started for ${service}`];
    const story = [['Its story', `pawl fix show ${fix}`]] as const;
    if (!wait) return { data: started, lines: [line, ...(started.link ? [[dim(started.link)]] : [])], next: story };
    context.out.note(line);
    const end = await waitForFix(context, started);
    return { data: { ...started, end }, lines: [fixEndLine(end)], next: story, exitCode: FIX_CODES[end.outcome] };
  },
});
