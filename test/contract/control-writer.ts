/** A process of its own that changes a control store: one grant for each key, each told on stdout once it is known. */
import { writeSync } from 'node:fs';
import { sqliteControl } from '../../adapters/control/sqlite.ts';

const [path = '', keys = ''] = process.argv.slice(2);
const store = sqliteControl(path);
for (const key of JSON.parse(keys) as string[]) {
  const actor = { kind: 'cycle', name: 'hammer' };
  const answer = await store.grant({ key, service: 'docs', cycle: 'hammer', actor, reason: 'hammering' });
  writeSync(1, `${key} ${answer.outcome}\n`);
}
store.close();
