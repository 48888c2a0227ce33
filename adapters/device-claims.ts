/** Devices that a process of this home computes on: nobody else of the same queue takes them while it lives. */
import { join } from 'node:path';
import { PawlError } from '../contracts/failures.ts';
import { withLock } from '../infra/setup/lock.mjs';

/** A claim ends with the work, or with the process, however it ends. */
export const claiming = async <T>(
  folder: string,
  queue: string,
  devices: readonly string[],
  work: () => Promise<T>,
): Promise<T> => {
  const [device, ...others] = devices;
  if (device === undefined) return work();
  return withLock(
    join(folder, `${queue}@${device.replace(':', '-')}.lock`),
    () => claiming(folder, queue, others, work),
    ({ pid, host }) => {
      throw new PawlError('Refused', `${device} is taken on ${queue} by process ${pid} on ${host}`, {
        hint: 'Give this worker other devices with PAWL_DEVICES, such as PAWL_DEVICES=cpu:1, or stop that process.',
      });
    },
  );
};
