import { z } from 'zod';
import { readPeople } from '../../adapters/keys/people.ts';
import { decisionId } from '../../adapters/policy/decision-id.ts';
import type { AskedPolicy } from '../../adapters/policy/port.ts';
import { DEFAULT_TENANT, KEY_ROLES } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';
import { ENVIRONMENTS } from '../../contracts/plan.ts';
import {
  askedAbout,
  POLICY_ACTIONS,
  type PolicyDecision,
  type Principal,
  REQUEST_ACTIONS,
} from '../../contracts/policy.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import { planOf } from '../../domain/plan.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import type { Reply } from '../output.ts';
import { bad, bold, dim, good, type Line } from '../text.ts';

type Facts = Readonly<Record<string, unknown>>;

const input = z.object({
  decision: z.string().optional(),
  action: z.enum(POLICY_ACTIONS).optional(),
  person: z.string().optional(),
  unsigned: z.string().optional(),
  automation: z.string().optional(),
  key: z.enum(KEY_ROLES).optional(),
  roles: z
    .string()
    .transform((text) => text.split(',').map((role) => role.trim()))
    .optional(),
  service: serviceName,
  environment: z.enum(ENVIRONMENTS).optional(),
  facts: z
    .string()
    .transform((text, found) => {
      try {
        return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
      } catch {
        found.addIssue({ code: 'custom', message: 'expected JSON such as {"approvedBy": ["bob"]}' });
        return z.NEVER;
      }
    })
    .optional(),
});
type Given = z.infer<typeof input>;

export const policyExplain = command({
  name: 'policy explain',
  about: 'show what the policy decides or has decided, and which condition says so',
  details:
    'With the id of a decision: what was asked and answered then, from the ledger, and what the policies of now say to it. Without: asks, and records nothing. Facts that are not given are such as stand in nobody’s way.',
  arguments: [['[decision]', 'id such as pd_4f2a91c0…, from the ledger']],
  options: [
    ['--action <action>', POLICY_ACTIONS.join(', ')],
    ['--person <name>', 'who asks; the roles are those of people.json'],
    ['--unsigned <name>', 'somebody who merely says a name'],
    ['--automation <name>', 'Pawl itself'],
    ['--key <role>', 'an API key of this role, at the gateway'],
    ['--roles <list>', 'other roles than those of people.json, such as operator,approver'],
    OF_SERVICE,
    ['--environment <name>', 'another environment than that of the service'],
    ['--facts <json>', 'what the conditions look at'],
  ],
  examples: [
    'pawl policy explain --action approve --person ada',
    `pawl policy explain --action approve --person ada --facts '{"requestedBy": {"kind": "person", "name": "ada"}}'`,
    'pawl policy explain --action documents --key reader',
    'pawl policy explain pd_4f2a91c04f2a91c04f2a91c0',
  ],
  input,
  run: async (given, context) =>
    given.decision === undefined ? asked(context, given) : recorded(context, given.decision),
});

const asked = async (context: Context, given: Given): Promise<Reply> => {
  const { action } = given;
  if (action === undefined) {
    throw new PawlError('Usage', 'Say what is to be explained: an --action, or the id of a decision.', {
      hint: '`pawl policy explain --help` shows an example.',
    });
  }
  const service = await context.service(given.service);
  const config = await context.config(service);
  const facts = { ...usual(action, planOf(config)), ...given.facts };
  const environment = given.environment ?? config.environment;
  const principal = await principalOf(context, given);
  const question = { id: decisionId('explained'), action, principal, service, environment, context: facts };
  const decision = await context.policy.decide(question);
  return { data: { question, decision }, lines: [...answerLines(decision), ...questionLines(question)] };
};

const recorded = async (context: Context, id: string): Promise<Reply> => {
  const rows = await context.control.ledger({ kind: 'decision' });
  const row = rows.find(({ body }) => (body.policy as PolicyDecision | null)?.id.startsWith(id));
  const parsed = recordedBody.safeParse(row?.body);
  if (!row || !parsed.success) {
    throw new PawlError('NotFound', `The ledger holds no decision ${id}.`, {
      hint: '`pawl audit show --kind decision` lists them.',
    });
  }
  const { action, policy, input } = parsed.data;
  const { principal, environment, facts } = input;
  const of = principal.kind === 'person' ? askedAbout(action as TokenClaims['action']) : action;
  const question = { id: policy.id, action: of, principal, service: row.service, environment, context: facts };
  const now = await context.policy.decide(question);
  return {
    data: { at: row.at, seq: row.seq, question, decision: policy, now },
    lines: [
      [dim(`row ${row.seq} of the ledger, ${row.at}`)],
      ...answerLines(policy),
      ...questionLines(question),
      now.allowed === policy.allowed
        ? [dim('The policies of now say the same.')]
        : [bold('The policies of now say otherwise: '), now.because],
    ],
  };
};

const principalShape = z.union([
  z.object({ kind: z.literal('person'), name: z.string(), roles: z.array(z.string()) }),
  z.object({ kind: z.enum(['unsigned', 'automation']), name: z.string() }),
]);
const recordedBody = z.object({
  action: z.enum(POLICY_ACTIONS),
  policy: z.object({
    id: z.string(),
    allowed: z.boolean(),
    policies: z.array(z.string()),
    because: z.string(),
    bundle: z.string(),
  }),
  input: z.object({
    principal: principalShape,
    environment: z.enum(ENVIRONMENTS).nullable(),
    facts: z.record(z.string(), z.unknown()),
  }),
});

const principalOf = async (
  context: Context,
  { person, unsigned, automation, key, roles }: Given,
): Promise<Principal> => {
  const named = [person, unsigned, automation, key].filter((one) => one !== undefined);
  if (named.length !== 1)
    throw new PawlError('Usage', 'Say who asks: one of --person, --unsigned, --automation, --key.');
  if (unsigned !== undefined) return { kind: 'unsigned', name: unsigned };
  if (automation !== undefined) return { kind: 'automation', name: automation };
  if (key !== undefined) return { kind: 'key', name: 'any', role: key, tenant: DEFAULT_TENANT };
  const name = person ?? '';
  if (roles) return { kind: 'person', name, roles };
  const found = (await readPeople(context.home)).find((one) => one.name === name && !one.revoked);
  if (found) return { kind: 'person', name, roles: found.roles };
  throw new PawlError('NotFound', `${name} is not in people.json, or was revoked.`, {
    hint: '`pawl people ls` shows who is; --roles asks for somebody who is not there.',
  });
};

/** Such facts as stand in nobody's way; what the configuration says is taken from it. */
const usual = (action: AskedPolicy['action'], { mode, approval, limits }: ReturnType<typeof planOf>): Facts => {
  const { cyclesPerDay, centsPerDay, gpuMinutesPerDay } = limits;
  const perDay = { ...(centsPerDay && { centsPerDay }), ...(gpuMinutesPerDay && { gpuMinutesPerDay }) };
  const quorum = approval === null ? 0 : (approval.quorum ?? 1);
  const all: Partial<Record<AskedPolicy['action'], Facts>> = {
    start: {
      trigger: 'hand',
      used: { cycles: 0, cents: 0, gpuMinutes: 0 },
      limits: { cyclesPerDay, ...perDay },
    },
    train: { steps: 100, used: { cents: 0, gpuMinutes: 0 }, limits: perDay },
    approve: { requestedBy: { kind: 'gate', name: 'a gate' }, approvedBy: [] },
    deploy: { mode, quorum, approvals: quorum },
    promote: { mode, quorum, approvals: quorum },
  };
  const request: Facts = { tenant: DEFAULT_TENANT, open: false, local: false };
  return all[action] ?? (isRequest(action) ? request : {});
};

const isRequest = (action: string): boolean => (REQUEST_ACTIONS as readonly string[]).includes(action);

const answerLines = ({ allowed, because, policies, bundle }: PolicyDecision): Line[] => [
  [allowed ? good('yes') : bad('no'), ': ', bold(because)],
  [dim('policies     '), policies.join(', ') || 'none'],
  [dim('bundle       '), bundle || 'none'],
];

const questionLines = ({ action, principal, service, environment, context }: AskedPolicy): Line[] => [
  [dim('action       '), action],
  [
    dim('principal    '),
    principal.kind,
    ' ',
    principal.name,
    principal.kind === 'person' ? ` (${principal.roles.join(', ')})` : '',
  ],
  [dim('service      '), service],
  [dim('environment  '), environment ?? 'not known'],
  [dim('facts        '), JSON.stringify(context)],
];
