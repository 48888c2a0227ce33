/**
 * Makes Temporal's schedules of a service what its configuration declares.
 *
 * 1. Applying twice changes nothing the second time.
 * 2. Only schedules of this service are touched.
 * 3. Whether an existing schedule is paused is a person's decision and stays as it is.
 */
import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  ScheduleNotFoundError,
} from '@temporalio/client';
import type { ServiceConfig } from '../contracts/config.ts';
import { PawlError } from '../contracts/failures.ts';
import { scheduleId } from '../contracts/ids.ts';
import { DECLARED, type Declaration, declared, scheduleOptions } from './declared.ts';

export type Change = 'created' | 'updated' | 'unchanged' | 'deleted';
export interface AppliedSchedule {
  readonly name: string;
  readonly change: Change;
}

type Declaring = Pick<ServiceConfig, 'service' | 'schedules'>;

export const applySchedules = async (
  client: Client,
  { service, schedules }: Declaring,
): Promise<readonly AppliedSchedule[]> => {
  const applied: AppliedSchedule[] = [];
  for (const declaration of schedules) {
    applied.push({ name: declaration.name, change: await applyOne(client, service, declaration) });
  }
  const wanted = new Set(schedules.map(({ name }) => name));
  for (const name of await namesOf(client, service)) {
    if (wanted.has(name) || !(await remove(client, service, name))) continue;
    applied.push({ name, change: 'deleted' });
  }
  return applied;
};

const applyOne = async (client: Client, service: string, declaration: Declaration): Promise<Change> => {
  const { scheduleId: id, ...options } = scheduleOptions(service, declaration);
  const handle = client.schedule.getHandle(id);
  const present = await describe(client, service, declaration.name);
  if (present && present.action.memo?.[DECLARED] === declared(declaration)) return 'unchanged';
  try {
    if (present) {
      await handle.update(({ state }) => ({ ...options, state }));
      return 'updated';
    }
    await client.schedule.create({ scheduleId: id, ...options });
    return 'created';
  } catch (error) {
    if (error instanceof ScheduleAlreadyRunning) return applyOne(client, service, declaration); // Someone was faster.
    // This is how the SDK tells that the server refuses the spec.
    if (!(error instanceof TypeError)) throw error;
    throw new PawlError('ConfigInvalid', `Temporal refuses the schedule ${declaration.name}: ${error.message}`, {
      hint: 'Correct its cron or every under "schedules" in pawl.yaml.',
      cause: error,
    });
  }
};

/** null: there is no such schedule. */
export const describe = async (client: Client, service: string, name: string): Promise<ScheduleDescription | null> => {
  try {
    return await client.schedule.getHandle(scheduleId(service, name)).describe();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return null;
    throw error;
  }
};

/** Names of the schedules that Temporal holds for a service. */
export const namesOf = async (client: Client, service: string): Promise<readonly string[]> => {
  const prefix = scheduleId(service, '');
  const names: string[] = [];
  for await (const { scheduleId: id } of client.schedule.list()) {
    if (id.startsWith(prefix)) names.push(id.slice(prefix.length));
  }
  return names.sort();
};

/** The list may still name one that is gone. */
const remove = async (client: Client, service: string, name: string): Promise<boolean> => {
  try {
    await client.schedule.getHandle(scheduleId(service, name)).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
};
