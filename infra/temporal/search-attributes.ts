import { type Connection, isGrpcServiceError } from '@temporalio/client';
import proto from '@temporalio/proto';
import { searchAttributes } from '../../contracts/search-attributes.ts';

/** gRPC's number for a method that the server does not have. */
const UNIMPLEMENTED = 12;
const { INDEXED_VALUE_TYPE_KEYWORD } = proto.temporal.api.enums.v1.IndexedValueType;
const names = Object.values(searchAttributes).map(({ name }) => name);

export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return names.filter((name) => customAttributes[name] !== INDEXED_VALUE_TYPE_KEYWORD);
}

/** Safe to repeat: it adds only what is missing. (The time-skipping server cannot list, so there it adds all.) */
export async function registerSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await missingSearchAttributes(connection, namespace).catch((error: unknown) => {
    if (isGrpcServiceError(error) && error.code === UNIMPLEMENTED) return names;
    throw error;
  });
  if (missing.length === 0) return;
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, INDEXED_VALUE_TYPE_KEYWORD])),
  });
}
