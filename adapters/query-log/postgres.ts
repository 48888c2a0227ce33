import { later } from '../postgres/later.ts';
import type { QueryLog } from './port.ts';

/** Of the secret under which this home names subjects: every home of the store must hold the same one. null: it has none. */
export type SubjectMark = () => string | null;

/** A log that the gateways of several machines write, so that what is read of it is what all of them served. */
export const postgresQueryLog = (address: string, mark: SubjectMark = () => null): QueryLog => {
  const { ask, close } = later(address, async () =>
    (await import('./postgres-statements.ts')).postgresLogStatements(address, mark),
  );
  return {
    append: (rows) => ask((log) => log.append(rows)),
    read: (filter) => ask((log) => log.read(filter)),
    count: (filter) => ask((log) => log.count(filter)),
    exposures: (page) => ask((log) => log.exposures(page)),
    ofSubject: (filter) => ask((log) => log.ofSubject(filter)),
    answeredBy: (filter) => ask((log) => log.answeredBy(filter)),
    unnamed: (filter) => ask((log) => log.unnamed(filter)),
    subjects: (filter) => ask((log) => log.subjects(filter)),
    prune: (before) => ask((log) => log.prune(before)),
    close,
  };
};
