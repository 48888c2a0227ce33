import type { ScheduleDescription } from '@temporalio/client';
import { z } from 'zod';
import { describe, namesOf } from '../../schedules/apply.ts';
import { DECLARED, type Declaration, declared } from '../../schedules/declared.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import { bold, dim, good, head, relative, type Styled, span, table, warn } from '../text.ts';

interface ListedSchedule {
  readonly name: string;
  readonly state: 'running' | 'paused' | 'not applied' | 'changed' | 'not declared';
  readonly spec: string | null;
  readonly next: string | null;
  readonly last: string | null;
}

export const scheduleLs = command({
  name: 'schedule ls',
  about: 'list the schedules of a service: declared in pawl.yaml, and held by Temporal',
  arguments: [SERVICE],
  examples: ['pawl schedule ls', 'pawl schedule ls docs --json'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const service = await context.service(named);
    const { schedules } = await context.config(service);
    const listed = await context.ask('reading the schedules', async (client) => {
      const names = new Set([...schedules.map(({ name }) => name), ...(await namesOf(client, service))]);
      return Promise.all(
        [...names].sort().map(async (name) => {
          const declaration = schedules.find((one) => one.name === name);
          return listedOf(name, declaration, await describe(client, service, name));
        }),
      );
    });
    if (listed.length === 0) {
      return { data: [], lines: ['No schedules. Declare them under "schedules" in pawl.yaml, then apply them.'] };
    }
    const now = Date.now();
    const pending = listed.some(({ state }) => !['running', 'paused'].includes(state));
    return {
      data: listed,
      lines: table([
        head('schedule', 'when', 'state', 'last', 'next'),
        ...listed.map(({ name, spec, state, last, next }) => [
          bold(name),
          spec,
          coloured(state),
          last && relative(last, now),
          next && relative(next, now),
        ]),
      ]),
      next: pending
        ? [['Apply what is declared', `pawl schedule apply ${service}`]]
        : [['Start one now', `pawl schedule trigger ${listed[0]?.name} --service ${service}`]],
    };
  },
});

const listedOf = (
  name: string,
  declaration: Declaration | undefined,
  held: ScheduleDescription | null,
): ListedSchedule => ({
  name,
  state: stateOf(declaration, held),
  spec: declaration ? (declaration.cron ?? `every ${span(declaration.every ?? 0)}`) : null,
  next: held?.state.paused ? null : (held?.info.nextActionTimes[0]?.toISOString() ?? null),
  last: held?.info.recentActions.at(-1)?.takenAt.toISOString() ?? null,
});

const stateOf = (declaration: Declaration | undefined, held: ScheduleDescription | null): ListedSchedule['state'] => {
  if (!declaration) return 'not declared';
  if (!held) return 'not applied';
  if (held.action.memo?.[DECLARED] !== declared(declaration)) return 'changed';
  return held.state.paused ? 'paused' : 'running';
};

const coloured = (state: ListedSchedule['state']): Styled =>
  state === 'running' ? good(state) : state === 'paused' ? dim(state) : warn(state);
