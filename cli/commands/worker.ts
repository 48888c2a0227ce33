import { z } from 'zod';
import { command } from '../command.ts';

/** Loaded when it runs; each handles the signals that stop it, and returns then. */
const workers = {
  control: () => import('../../workers/control.ts'),
  data: () => import('../../workers/data.ts'),
  train: () => import('../../workers/train.ts'),
  infer: () => import('../../workers/infer.ts'),
} as const;

export const worker = command({
  name: 'worker',
  about: 'run a worker in the foreground',
  details:
    'control: workflows, traffic, tokens. data: monitoring to evaluation. train: training. infer: encoding and scoring whole data sets, on the devices of PAWL_DEVICES (cpu:0). Ctrl-C stops it in an orderly way. `pawl up` runs all of them, with Temporal and the gateway.',
  arguments: [['<queue>', 'control, data or train']],
  examples: ['pawl worker control', 'pawl worker train', 'PAWL_DEVICES=cuda:0,cuda:1 pawl worker infer'],
  input: z.object({ queue: z.enum(['control', 'data', 'train', 'infer'], 'expected control, data, train or infer') }),
  run: async ({ queue }, { home }) => {
    const { run } = await workers[queue]();
    await run(home);
    return undefined;
  },
});

export const gateway = command({
  name: 'gateway',
  about: 'run the gateway in the foreground: search, health, traffic, metrics',
  details: 'Ctrl-C stops it in an orderly way. `pawl up` runs it beside Temporal and the workers.',
  examples: ['pawl gateway', 'pawl gateway --home /srv/search'],
  input: z.object({}),
  run: async (_, { home }) => {
    const { run } = await import('../../gateway/main.ts');
    await run(home);
    return undefined;
  },
});
