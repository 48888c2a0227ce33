/** Which cycle is meant, and what is known of it. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { PawlError } from '../contracts/failures.ts';
import { CYCLE_ID, cycleWorkflowId } from '../contracts/ids.ts';
import { type CycleStatus, cycleStatusQuery } from '../contracts/messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { Context } from './context.ts';

export interface CycleChoice {
  readonly cycle?: string | undefined;
  readonly service?: string | undefined;
}
export interface NamedCycle {
  readonly service: string;
  readonly cycle: string;
  readonly workflowId: string;
}

/** `latest`, or nothing, is the one that started last. */
export const cycleOf = async (context: Context, { cycle = 'latest', service }: CycleChoice): Promise<NamedCycle> => {
  if (cycle !== 'latest' && !CYCLE_ID.test(cycle)) {
    throw new PawlError('Usage', `"${cycle}" is no cycle: expected an id such as si_2026_11_21_001, or latest.`, {
      hint: '`pawl cycle ls` lists them.',
    });
  }
  const services = await context.services();
  const only = service ?? (services.length === 1 ? services[0] : undefined);
  if (cycle !== 'latest' && only !== undefined) return named(only, cycle);

  const found = await context.ask('looking for the cycle', (client) =>
    listCycles(client, { service: only, cycle: cycle === 'latest' ? undefined : cycle, most: 10 }),
  );
  const [first, ...others] = found;
  if (first === undefined) {
    throw new PawlError('NotFound', cycle === 'latest' ? 'There is no cycle yet.' : `There is no cycle ${cycle}.`, {
      hint: cycle === 'latest' ? '`pawl cycle start` starts one.' : '`pawl cycle ls` lists them.',
    });
  }
  const owners = [...new Set(found.map((one) => one.service))];
  if (cycle !== 'latest' && others.length > 0 && owners.length > 1) {
    throw new PawlError('Usage', `Several services have a cycle ${cycle}: ${owners.join(', ')}.`, {
      hint: `Say which one: --service ${first.service}`,
    });
  }
  return first;
};

const named = (service: string, cycle: string): NamedCycle => ({
  service,
  cycle,
  workflowId: cycleWorkflowId(service, cycle),
});

export interface ListedCycle extends NamedCycle {
  readonly environment: string | null;
  /** The outcome, the stage it is in, or how Temporal says that it ended. */
  readonly state: string;
  readonly running: boolean;
  readonly startedAt: string;
  readonly tookMs: number;
}

export interface CycleFilter {
  readonly service: string | undefined;
  readonly cycle?: string | undefined;
  readonly running?: boolean;
  readonly most: number;
}

/** Newest first: this is how visibility orders by itself, and the embedded one knows no other order. */
export const listCycles = async (client: Client, filter: CycleFilter): Promise<ListedCycle[]> => {
  const { service, cycle } = searchAttributes;
  const query = [
    'WorkflowType = "improvementCycle"',
    ...(filter.service === undefined ? [] : [`${service.name} = "${filter.service}"`]),
    ...(filter.cycle === undefined ? [] : [`${cycle.name} = "${filter.cycle}"`]),
    ...(filter.running ? ['ExecutionStatus = "Running"'] : []),
  ].join(' AND ');
  const found: ListedCycle[] = [];
  for await (const execution of client.workflow.list({ query, pageSize: Math.min(filter.most, 100) })) {
    const one = listed(execution);
    if (one) found.push(one);
    if (found.length >= filter.most) break;
  }
  return found;
};

const listed = ({ workflowId, status, startTime, closeTime, typedSearchAttributes }: WorkflowExecutionInfo) => {
  const service = typedSearchAttributes.get(searchAttributes.service);
  const cycle = typedSearchAttributes.get(searchAttributes.cycle);
  if (!service || !cycle) return null;
  const running = status.name === 'RUNNING';
  const stage = typedSearchAttributes.get(searchAttributes.stage) ?? 'starting';
  return {
    service,
    cycle,
    workflowId,
    environment: typedSearchAttributes.get(searchAttributes.environment) ?? null,
    state: running ? stage : (typedSearchAttributes.get(searchAttributes.verdict) ?? status.name.toLowerCase()),
    running,
    startedAt: startTime.toISOString(),
    tookMs: (closeTime?.getTime() ?? Date.now()) - startTime.getTime(),
  };
};

export const statusOf = (context: Context, { workflowId }: NamedCycle): Promise<CycleStatus> =>
  context.ask('asking the cycle', (client) => client.workflow.getHandle(workflowId).query(cycleStatusQuery));
