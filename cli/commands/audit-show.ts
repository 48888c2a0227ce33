import { z } from 'zod';
import { moment, rowTable } from '../audit.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import { dim, short } from '../text.ts';

const KEPT = 50;

export const auditShow = command({
  name: 'audit show',
  about: 'show rows of the ledger, oldest first',
  details: `Without --last it shows the last ${KEPT} that fit. With --json also bodies, hashes and the head.`,
  options: [
    OF_SERVICE,
    ['--cycle <id>', 'rows of this cycle'],
    ['--kind <kind>', 'rows of this kind, such as kill, shift, decision'],
    ['--since <time>', 'from this time on: 2026-11-21T12:00Z, or how long ago: 90m'],
    ['--until <time>', 'up to this time'],
    ['--last <n>', `so many at most (${KEPT})`],
  ],
  examples: ['pawl audit show --kind decision --since 24h', 'pawl audit show --cycle si_2026_11_21_001 --json'],
  input: z.object({
    service: serviceName,
    cycle: z.string().optional(),
    kind: z.string().optional(),
    since: moment.optional(),
    until: moment.optional(),
    last: z.coerce.number('expected a number').int().nonnegative().default(KEPT),
  }),
  run: async (wanted, context) => {
    const filter = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
    const rows = await context.control.ledger(filter);
    const head = await context.control.head();
    return {
      data: { rows, head },
      lines: [
        ...(rows.length === 0 ? ['No row fits.'] : rowTable(rows)),
        [dim(`The ledger has ${head.size} rows; its root is ${short(head.root)}.`)],
      ],
      next: [['Check that nobody changed it', 'pawl audit verify']],
    };
  },
});
