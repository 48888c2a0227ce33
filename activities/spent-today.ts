import type { ControlStore } from '../adapters/control/port.ts';
import { dayOf } from '../contracts/ids.ts';
import type { Usage } from '../contracts/stages.ts';

export const dayBegan = (now: number): string => `${dayOf(now)}T00:00:00.000Z`;

/** What the cycles and fine-tunes of a service that ended today have used, rounded up: the budgets of its day are about this. */
export const spentToday = async (
  { control, now }: { readonly control: Pick<ControlStore, 'ledger'>; now(): number },
  service: string,
): Promise<{ readonly cents: number; readonly gpuMinutes: number }> => {
  const ended = (kind: string) => control.ledger({ service, kind, since: dayBegan(now()) });
  const rows = (await Promise.all([ended('cycle ended'), ended('lora ended')])).flat();
  const usages = rows.map(({ body }) => (body.usage ?? {}) as Usage);
  const sum = (of: (usage: Usage) => number | undefined): number =>
    usages.reduce((total, usage) => total + (of(usage) ?? 0), 0);
  return {
    cents: Math.ceil(sum(({ cents }) => cents)),
    gpuMinutes: Math.ceil(sum(({ gpuSeconds }) => gpuSeconds) / 60),
  };
};
