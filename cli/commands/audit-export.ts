import { resolve } from 'node:path';
import { z } from 'zod';
import { exportLedger } from '../../adapters/ledger/export.ts';
import { command, flag } from '../command.ts';
import { short } from '../text.ts';

export const auditExport = command({
  name: 'audit export',
  about: 'write the ledger to a file: a row a line, the signed head last',
  details:
    'A file that is kept elsewhere is also a head that nobody here can take back: `pawl audit verify --head FILE`.',
  arguments: [['<file>', 'a file that is not there yet']],
  options: [['--force', 'overwrite it']],
  examples: ['pawl audit export ledger.jsonl'],
  input: z.object({ file: z.string().min(1), force: flag }),
  run: async ({ file, force }, { control, homeSources, out }) => {
    const path = resolve(homeSources.folder, file);
    const head = await out.progress('Writing the ledger', (tell) =>
      exportLedger(control, path, { force, progress: (rows) => tell(`${rows} rows`) }),
    );
    return {
      data: { file: path, head },
      lines: [`${path}: ${head.size} rows, root ${short(head.root)}`],
      next: [['Check it', `pawl audit verify --file ${file}`]],
    };
  },
});
