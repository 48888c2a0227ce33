import { PawlError } from '../../contracts/failures.ts';

/** PostgreSQL cuts longer names off, and everything else would have to be quoted. */
const SCHEMA = /^[a-z_][a-z0-9_]{0,62}$/;

export interface PostgresAddress {
  /** For the driver: without what is Pawl's own. */
  readonly url: string;
  /** Where Pawl's tables lie. */
  readonly schema: string;
  /** What the address asks of the server itself. */
  readonly options: string;
  /** For people: without the password. */
  readonly place: string;
}

/** `postgres://user@host:5432/database`; `?schema=` names another schema than `pawl`. */
export const postgresAddress = (text: string): PostgresAddress => {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    // Not what was given: there may be a password in it.
    throw new PawlError('ConfigInvalid', 'The address of the store is none of PostgreSQL', {
      hint: 'It looks like "postgres://user@host:5432/database".',
    });
  }
  const schema = url.searchParams.get('schema') ?? 'pawl';
  if (!SCHEMA.test(schema)) {
    throw new PawlError('ConfigInvalid', `${JSON.stringify(schema)} is no name of a schema for the store`, {
      hint: 'Take small letters, digits and underscores, such as "pawl_staging".',
    });
  }
  const options = url.searchParams.get('options') ?? '';
  url.searchParams.delete('schema');
  url.searchParams.delete('options');
  const host = url.searchParams.get('host') ?? url.host;
  return { url: url.href, schema, options, place: `postgres://${host}${url.pathname}, schema ${schema}` };
};
