import { z } from 'zod';
import { guardianId } from '../../contracts/ids.ts';
import { type GuardianStatus, guardianStatusQuery } from '../../contracts/messages.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import { command, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { asPawlError } from '../failure.ts';
import type { Reply } from '../output.ts';
import { bad, bold, dim, good, type Line, percent, relative, short, warn } from '../text.ts';

/** The store answers anyway; the guardian only adds to it. */
const PATIENCE_MS = 3_000;

interface ServiceStatus {
  readonly service: string;
  /** null: pawl.yaml is there, `pawl init` has not registered it. */
  readonly state: ServiceState | null;
  readonly guardian: GuardianStatus | null;
  /** Why the guardian says nothing. */
  readonly silent: string | null;
}

export const status = command({
  name: 'status',
  about: 'show what serves, whether the loop may act, and what runs',
  details: 'What serves is read from the store, so it is shown even where Temporal is away.',
  arguments: [['[service]', 'only this service']],
  examples: ['pawl status', 'pawl status docs --json'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const names = named === undefined ? await context.services() : [await context.service(named)];
    const statuses = await Promise.all(names.map((service) => statusOf(context, service)));
    if (statuses.length === 0) {
      return { data: [], lines: ['This home has no service yet.'], next: [['Make one', 'pawl init']] };
    }
    return {
      data: named === undefined ? statuses : statuses[0],
      lines: statuses.flatMap((one) => linesOf(one, Date.now())),
      next: nextOf(statuses),
    };
  },
});

const statusOf = async (context: Context, service: string): Promise<ServiceStatus> => {
  const state = context.hasStore ? await context.control.state(service) : null;
  try {
    await context.temporal(0);
    const guardian = await context.ask(
      'asking the guardian',
      (client) => client.workflow.getHandle(guardianId(service)).query(guardianStatusQuery),
      PATIENCE_MS,
    );
    return { service, state, guardian, silent: null };
  } catch (error) {
    const { type, message } = asPawlError(error);
    return { service, state, guardian: null, silent: type === 'NotFound' ? 'it has not been started yet' : message };
  }
};

const LATCH = { armed: good, disarmed: warn, killed: bad } as const;

const linesOf = ({ service, state, guardian, silent }: ServiceStatus, now: number): Line[] => {
  if (!state) return [[bold(service), ' is not registered in the store yet']];
  const { latch, because, champion, gold, arms } = state;
  const lines: Line[] = [
    [bold(service), ' is ', LATCH[latch](latch), guardian?.paused ? warn(', paused') : '', dim(` (${because})`)],
    [dim('  serves    '), arms.map(({ variant, share }) => `${short(variant)} ${percent(share)}`).join(', ')],
    [dim('  champion  '), short(champion), dim('   gold  '), short(gold)],
  ];
  if (!guardian) return [...lines, [dim('  guardian  '), warn(silent)]];
  const { running, lane, last, cooldownUntil } = guardian;
  return [
    ...lines,
    ...running.map(({ cycle, startedAt, trigger }) => [
      dim('  runs      '),
      `${cycle}, started ${relative(startedAt, now)} (${trigger})${lane.holder === cycle ? ', holds the traffic lane' : ''}`,
    ]),
    ...(cooldownUntil !== null && Date.parse(cooldownUntil) > now
      ? [[dim('  cools     '), `until ${relative(cooldownUntil, now)}; a cycle by hand does not wait for it`]]
      : []),
    ...last
      .slice(-3)
      .reverse()
      .map(({ cycle, outcome, because: why }) => [dim('  ended     '), `${cycle}: ${outcome}, ${why}`]),
  ];
};

const nextOf = (statuses: readonly ServiceStatus[]): NonNullable<Reply['next']> => {
  const [only] = statuses;
  if (only === undefined || statuses.length > 1) return [['All cycles', 'pawl cycle ls']];
  const { service, state, guardian } = only;
  if (!state) return [['Register it', `pawl init --service ${service}`]];
  if (state.gold === null) return [['Vouch for its champion', `pawl gold set --service ${service} --reason "…"`]];
  if (state.latch !== 'armed') return [['Arm it', `pawl rearm ${service} --reason "…"`]];
  if (guardian?.paused) return [['Let it go on', `pawl resume ${service} --reason "…"`]];
  const [running] = guardian?.running ?? [];
  return running
    ? [['Watch it', `pawl cycle watch ${running.cycle}`]]
    : [['Start a cycle', `pawl cycle start ${service}`]];
};
