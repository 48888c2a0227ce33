import type { Usage } from '../contracts/stages.ts';

const KINDS = ['cpuSeconds', 'gpuSeconds', 'cents'] as const;

/** A stage of a service's own may say anything: what is no amount counts as nothing. */
export const withUsage = (total: Usage, used: Usage | undefined): Usage => {
  const amounts = KINDS.map((kind) => [kind, (total[kind] ?? 0) + amountOf(used?.[kind])] as const);
  return Object.fromEntries(amounts.filter(([, amount]) => amount > 0));
};

const amountOf = (value: unknown): number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0;

/** `hourCost` in US dollars, as in `cpuHour`; null where it is not known. */
export const cpuUsage = (milliseconds: number, hourCost: number | null): Usage => {
  const cpuSeconds = milliseconds / 1_000;
  const used = { cpuSeconds: round(cpuSeconds) };
  return hourCost === null ? used : { ...used, cents: round((cpuSeconds / 3_600) * hourCost * 100) };
};

const round = (amount: number): number => Math.round(amount * 1e6) / 1e6;
