import { z } from 'zod';
import type { TriggerInput } from '../../contracts/guardian.ts';
import { guardianId, triggerId } from '../../contracts/ids.ts';
import type { Admission } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { attributesOf } from '../../contracts/search-attributes.ts';
import { command, flag, SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { OUTCOME_CODES } from '../exit-codes.ts';
import { endLine, eventLine, follow, refusedAdmission } from '../follow.ts';
import { linkTo } from '../links.ts';
import { nameOfUser, SIGNING, type Signing, signBy, signerHere, signing } from '../operator.ts';
import { bold, dim, good } from '../text.ts';
import { stateOf, variantOf } from '../variants.ts';

/** The guardian answers in a moment; what takes longer is a worker that does not run yet. */
const PATIENCE_MS = 60_000;

type Asked = Pick<TriggerInput, 'requestedBy' | 'token'>;

/** Whoever is logged in, which proves nothing. */
const byLogin = (): Asked => ({ requestedBy: { kind: 'person', name: nameOfUser() } });

const whoAsks = async (context: Context, service: string, reason: string, signing: Signing): Promise<Asked> => {
  const signer = await signerHere(context, signing);
  if (!signer) return byLogin();
  const bound = { workflow: guardianId(service), step: null, variant: null, evidence: null };
  const token = await signBy(context, signer, { action: 'start', ...bound, reason }, signing);
  return { requestedBy: { kind: 'person', name: signer.person.name }, token };
};

export const cycleStart = command({
  name: 'cycle start',
  about: 'ask the guardian of a service for a cycle',
  details:
    'Starts the trigger workflow, as a schedule or the Web UI does, signed with your key where there is one. The guardian answers with the id of the cycle, or why there is none (exit code 5).',
  arguments: [SERVICE],
  options: [
    ['--reason <text>', 'why; it stands in the ledger and in the Web UI'],
    ['--challenger <variant>', 'try this variant, which is there already, instead of training one'],
    ['--unsigned', 'ask without a signature; the policy may refuse that'],
    ...SIGNING,
    ['--wait', 'follow the cycle to its end; the exit code says how it ended (`pawl help exit-codes`)'],
  ],
  examples: [
    'pawl cycle start --reason "users complain about the new index"',
    'pawl cycle start docs --wait --json',
    'pawl cycle start --challenger 3f2a91c0 --reason "made by hand"',
  ],
  input: z.object({
    service: serviceName,
    reason: z.string().max(1_000).default('started by hand'),
    challenger: z.string().optional(),
    wait: flag,
    unsigned: flag,
    ...signing,
  }),
  run: async ({ service: of, reason, challenger, wait, unsigned, ...signing }, context) => {
    const service = await context.service(of);
    const given =
      challenger === undefined
        ? {}
        : { challenger: (await variantOf(context.control, await stateOf(context.control, service), challenger)).id };
    const asked = unsigned ? byLogin() : await whoAsks(context, service, reason, signing);
    const workflowId = triggerId(service, new Date().toISOString().replaceAll(/\D/g, ''));
    const admission = await context.ask(
      'waiting for the guardian (a worker of pawl-control must run: `pawl worker control`)',
      (client) =>
        client.workflow.execute<(input: TriggerInput) => Promise<Admission>>('trigger', {
          workflowId,
          taskQueue: queues.control,
          args: [{ service, reason, trigger: 'hand', ...asked, ...given }],
          typedSearchAttributes: attributesOf({ service }),
          staticSummary: `${service}: ${reason}`.slice(0, 200),
        }),
      PATIENCE_MS,
    );
    if (!admission.admitted) throw refusedAdmission(admission.because);

    const { cycle } = admission;
    const started = {
      service,
      cycle,
      workflowId: admission.workflowId,
      link: await linkTo(context, admission.workflowId),
    };
    const line = [good('✓ '), bold(cycle), ` started for ${service}`];
    if (!wait) {
      return {
        data: started,
        lines: [line, ...(started.link ? [[dim(started.link)]] : [])],
        next: [['Watch it', `pawl cycle watch ${cycle}`]],
      };
    }
    context.out.note(line);
    const end = await follow(context, started, (event) => context.out.note(eventLine(event, cycle)));
    return {
      data: { ...started, end },
      lines: [endLine(end)],
      next: [['Its story', `pawl cycle show ${cycle}`]],
      exitCode: OUTCOME_CODES[end.outcome],
    };
  },
});
