/** What a worker computes on, and how much of it is its own: `cpu:0`, `cuda:1`, `cuda:0/2`. */
import { PROVIDERS, type Provider } from './provider.ts';
import type { SessionChoice } from './session.ts';

export interface Device {
  readonly provider: Provider;
  readonly index: number;
  /** Pieces of work that may run on it at once. */
  readonly share: number;
}

export const DEFAULT_DEVICES = 'cpu:0';
export const DEVICES_EXPECTED = `devices such as "cpu:0", "cuda:0,cuda:1" or "cuda:0/2" (two pieces of work at once), each once, of ${PROVIDERS.join(', ')}`;

const DEVICE = new RegExp(`^(${PROVIDERS.join('|')}):(\\d{1,3})(?:/([1-9]\\d?))?$`);

/** null: the text names no devices, or one of them twice. */
export function parseDevices(text: string): Device[] | null {
  const devices = text.split(',').map((part): Device | null => {
    const [, provider, index, share = '1'] = DEVICE.exec(part.trim()) ?? [];
    return provider ? { provider: provider as Provider, index: Number(index), share: Number(share) } : null;
  });
  if (!devices.every((device) => device !== null)) return null;
  return new Set(devices.map(deviceName)).size === devices.length ? devices : null;
}

export const deviceName = ({ provider, index }: Pick<Device, 'provider' | 'index'>): string => `${provider}:${index}`;

/**
 * How a device is used. Of a CPU's cores each piece of work has the same number, and an encoder in a thread for each: the
 * vectors do not depend on how many. Elsewhere the device itself works in parallel.
 */
export function usageOfDevice(
  { provider, index }: Pick<Device, 'provider' | 'index'>,
  cores: number,
): { readonly choice: SessionChoice; readonly size: number } {
  const choice = { provider, device: index, threads: 1, arena: true };
  return { choice, size: provider === 'cpu' ? cores : 1 };
}
