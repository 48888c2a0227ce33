/** An engine whose variants go bad when the trial says so; all that is between it and the visitors is the gateway's own. */
import { setTimeout as pause } from 'node:timers/promises';
import { PawlError } from '../../contracts/failures.ts';
import type { Found, LoadedVariant, SearchEngine } from '../../gateway/search-engine.ts';
import type { Fault, Faults } from './faults.ts';

export const faultyEngine =
  (faults: () => Faults) =>
  (engine: SearchEngine): SearchEngine => ({
    ...engine,
    load: async (variant) => faulty(variant, await engine.load(variant), faults),
  });

const faulty = (name: string, variant: LoadedVariant, faults: () => Faults): LoadedVariant => {
  const kept: Uint8Array[] = [];
  return {
    ...variant,
    search: async (question) => {
      const found = await variant.search(question);
      const fault = faults()[name];
      return fault ? suffering(fault, found, kept) : found;
    },
  };
};

const suffering = async (fault: Fault, found: Found, kept: Uint8Array[]): Promise<Found> => {
  switch (fault.does) {
    case 'slow':
      await pause(fault.ms);
      return found;
    case 'fail':
      if (Math.random() < fault.share) throw new PawlError('Internal', 'A fault of the trial');
      return found;
    case 'mislead':
      return { ...found, hits: found.hits.slice(3) };
    case 'leak': {
      const held = kept.length * fault.bytes;
      if (held < fault.most) kept.push(new Uint8Array(fault.bytes).fill(1));
      let sum = 0;
      for (const part of kept) for (const byte of part) sum += byte;
      return { ...found, cpuMs: found.cpuMs + (sum > 0 ? 0 : 1) };
    }
  }
};
