/** A process of its own that writes to a store all the time. */
import { writeSync } from 'node:fs';
import { sqliteControl } from '../../adapters/control/sqlite.ts';

const [path = ''] = process.argv.slice(2);
const store = sqliteControl(path);
for (let n = 0; ; n++) {
  const actor = { kind: 'person', name: 'noter' };
  const entry = { key: `noter/${n}`, service: '*', cycle: null, kind: 'noted', actor, reason: 'load', body: { n } };
  await store.note(entry).catch((error: { type?: string }) => {
    if (error.type !== 'StoreBusy') throw error;
  });
  if (n === 0) writeSync(1, 'ready\n');
}
