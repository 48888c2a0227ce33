import { z } from 'zod';
import { findServices } from '../../adapters/service/config.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { ChildEvent } from '../../infra/up/child.ts';
import { runUp } from '../../infra/up/up.ts';
import type { UpFile } from '../../infra/up/up-file.ts';
import { command } from '../command.ts';
import type { Output } from '../output.ts';
import { bad, bold, dim, good, type Line, type Styled, warn } from '../text.ts';

export const up = command({
  name: 'up',
  about: 'run everything of this home: Temporal, the workers, the gateway',
  details:
    'Restarts what dies, and stops everything in order on Ctrl-C. With PAWL_TEMPORAL_ADDRESS set it uses that server. With --json it prints one object when everything serves.',
  examples: ['pawl up', 'pawl up --home /srv/search'],
  input: z.object({}),
  run: async (_, context) => {
    const { home, environment, out } = context;
    const [first] = await findServices(home);
    if (first === undefined) {
      throw new PawlError('NotFound', `${home} has no service yet.`, { hint: '`pawl init` makes one.' });
    }
    const { gateway } = await context.config(first.service);
    const ending = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
    await runUp({
      environment,
      gateway,
      tell: (event) => out.note(eventLine(event)),
      whileUp: async (file) => {
        showUp(out, file);
        await new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve()));
        out.note([dim('Stopping …')]);
      },
      signal: ending.signal,
    });
    return undefined;
  },
});

const showUp = (out: Output, { pid, temporal, gateway, children }: UpFile): void => {
  out.reply({
    data: { pid, temporal, gateway, children },
    lines: [
      [bold('Everything serves.'), dim(' Ctrl-C stops it.')],
      [dim('  gateway    '), gateway],
      [dim('  Temporal   '), temporal.address, dim(` (namespace ${temporal.namespace})`)],
      [dim('  Web UI     '), temporal.ui],
    ],
    next: [
      ['In another shell', 'pawl status'],
      ['Apply its schedules', 'pawl schedule apply'],
    ],
  });
};

const MARKS: Readonly<Record<ChildEvent['what'], Styled>> = {
  started: dim('…'),
  ready: good('✓'),
  died: warn('!'),
  'given up': bad('✗'),
  stopped: dim('-'),
};

const eventLine = ({ child, what, pid, because }: ChildEvent): Line => [
  MARKS[what],
  ` ${child.padEnd(15)}`,
  what,
  dim(pid === null ? '' : ` (process ${pid})`),
  because === null ? '' : `: ${because}`,
];
