import { extname } from 'node:path';
import { z } from 'zod';
import { command } from '../command.ts';

const WORKERS = ['control', 'data', 'train'] as const;

interface Entry {
  /** Returns when it was told to stop, by a signal that it handles itself. */
  run(home: string): Promise<void>;
}

/** The packed program runs as JavaScript: an entry has the extension that this file has. */
const entry = async (path: string): Promise<Entry> => import(`../../${path}${extname(import.meta.filename)}`);

export const worker = command({
  name: 'worker',
  about: 'run a worker in the foreground: control, data or train; all three where none is named',
  details: 'Ctrl-C stops it in an orderly way. `pawl up` runs all of them, and Temporal and the gateway too.',
  arguments: [['[queue]', WORKERS.join(', ')]],
  examples: ['pawl worker', 'pawl worker train'],
  input: z.object({ queue: z.enum(WORKERS).optional() }),
  run: async ({ queue }, context) => {
    const { home } = context;
    const entries = await Promise.all((queue ? [queue] : WORKERS).map((name) => entry(`workers/${name}`)));
    await Promise.all(entries.map(({ run }) => run(home)));
    return undefined;
  },
});

export const gateway = command({
  name: 'gateway',
  about: 'run the gateway in the foreground: search, health, traffic, metrics',
  details: 'Ctrl-C stops it in an orderly way. `pawl up` runs it beside Temporal and the workers.',
  examples: ['pawl gateway', 'pawl gateway --home /srv/search'],
  input: z.object({}),
  run: async (_, context) => {
    const { run } = await entry('gateway/main');
    await run(context.home);
    return undefined;
  },
});
