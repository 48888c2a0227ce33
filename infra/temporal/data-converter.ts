import { fileURLToPath } from 'node:url';
import type { DataConverter } from '@temporalio/common';

/** The payload converter must be the same in clients, workers and the bundle. */
export const payloadConverterPath: string = fileURLToPath(
  new URL('../../contracts/payload-converter.ts', import.meta.url),
);
export const dataConverter: DataConverter = { payloadConverterPath };
