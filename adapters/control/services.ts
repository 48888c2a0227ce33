import type { ServiceState } from '../../contracts/traffic.ts';
import type { Database } from '../sqlite/database.ts';
import { serviceRow } from './rows.ts';

/** The rows that say what serves, and the fleet's latch. */
export interface Services {
  find(service: string): ServiceState | null;
  names(): readonly string[];
  /** Only inside the transaction of a change. */
  save(state: ServiceState): void;
  fleet(): { readonly killed: boolean; readonly because: string };
  setFleet(killed: boolean, because: string): void;
}

export const createServices = ({ db, attempt }: Database): Services => {
  const find = db.prepare('SELECT * FROM services WHERE service = ?');
  const names = db.prepare('SELECT service FROM services ORDER BY service');
  const save = db.prepare(`
    INSERT INTO services (service, latch, because, epoch, promotion, champion, gold, arms)
    VALUES (:service, :latch, :because, :epoch, :promotion, :champion, :gold, :arms)
    ON CONFLICT (service) DO UPDATE SET latch = :latch, because = :because, epoch = :epoch, promotion = :promotion,
      champion = :champion, gold = :gold, arms = :arms`);
  const fleet = db.prepare('SELECT killed, because FROM fleet');
  const setFleet = db.prepare('UPDATE fleet SET killed = ?, because = ?');

  return {
    find: (service) => {
      const row = attempt(() => find.get(service));
      return row ? serviceRow.parse(row) : null;
    },
    names: () => attempt(() => names.all()).map((row) => String(row.service)),
    save: ({ arms, ...state }) => {
      save.run({ ...state, arms: JSON.stringify(arms) });
    },
    fleet: () => {
      const row = attempt(() => fleet.get());
      return { killed: row?.killed !== 0, because: String(row?.because) };
    },
    setFleet: (killed, because) => {
      setFleet.run(killed ? 1 : 0, because);
    },
  };
};
