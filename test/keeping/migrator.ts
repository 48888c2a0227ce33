/** A process of its own that opens a store and writes a row; told so, it kills itself in the middle of the migration. */
import { CONTROL_MIGRATIONS } from '../../adapters/control/schema.ts';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { type Migration, openDatabase } from '../../adapters/sqlite/database.ts';

const [path = '', what = ''] = process.argv.slice(2);

const applied = (db: Parameters<Exclude<Migration, string>>[0], step: Migration | undefined): void => {
  if (typeof step === 'string') db.exec(step);
  else step?.(db);
};
const die = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
const [first = '', ...later] = CONTROL_MIGRATIONS;
const DEADLY: Readonly<Record<string, readonly Migration[]>> = {
  'before the steps': [first, die],
  'after the steps': [
    first,
    ...later.slice(0, -1),
    (db) => {
      applied(db, later.at(-1));
      die();
    },
  ],
};

const deadly = DEADLY[what];
if (deadly) openDatabase({ path, migrations: deadly, synchronous: 'FULL', keepOlder: true });
const store = sqliteControl(path);
const actor = { kind: 'person', name: what };
await store.note({ key: `migrator/${what}`, service: '*', cycle: null, kind: 'opened', actor, reason: '', body: {} });
store.close();
