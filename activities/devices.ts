/** What a worker computes on, lent to one piece of work at a time, or to as many as the device's share. */
import { availableParallelism } from 'node:os';
import { type Device, deviceName, usageOfDevice } from '../ml/session/device.ts';
import type { SessionChoice } from '../ml/session/session.ts';

export interface Lent {
  readonly name: string;
  readonly choice: SessionChoice;
  /** Threads that hold an encoder. */
  readonly size: number;
}

export class Devices {
  /** Pieces of work that all devices together take. */
  readonly places: number;
  readonly #free: Lent[];
  readonly #waiting: ((lent: Lent) => void)[] = [];

  constructor(devices: readonly Device[], cores = availableParallelism()) {
    const onCpu = devices.reduce((sum, { provider, share }) => sum + (provider === 'cpu' ? share : 0), 0);
    const each = Math.max(1, Math.floor(cores / Math.max(1, onCpu)));
    this.#free = devices.flatMap((device) => {
      const lent = { name: deviceName(device), ...usageOfDevice(device, each) };
      return Array.from({ length: device.share }, () => lent);
    });
    this.places = this.#free.length;
  }

  /** Waits for a device that is free, and gives it back when the work has ended, however it has. */
  async lend<T>(work: (lent: Lent) => Promise<T>): Promise<T> {
    const lent = this.#free.shift() ?? (await new Promise<Lent>((resolve) => this.#waiting.push(resolve)));
    try {
      return await work(lent);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lent);
      else this.#free.push(lent);
    }
  }
}
