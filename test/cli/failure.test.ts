import { ServiceError, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, test } from 'vitest';
import { asPawlError } from '../../cli/failure.ts';
import { PawlError } from '../../contracts/failures.ts';

/** As grpc-js makes them. */
const grpc = (code: number, details: string): Error =>
  Object.assign(new Error(`${code}: ${details}`), { name: 'ServiceError', code, details, metadata: {} });

const cause = (type: string) => ApplicationFailure.create({ type, message: 'the disk is full', nonRetryable: true });

test.each([
  ['one of the catalogue stays what it is', new PawlError('NoData', 'too little'), 'NoData'],
  ['a workflow that is not there', new WorkflowNotFoundError('not found', 'pawl:docs', undefined), 'NotFound'],
  ['a server that is away', grpc(14, 'connection refused'), 'Unavailable'],
  [
    'a server that is away, as the client wraps it',
    new ServiceError('failed', { cause: grpc(14, 'no') }),
    'Unavailable',
  ],
  ['an answer that came too late', grpc(4, 'deadline exceeded'), 'Unavailable'],
  [
    'a failed workflow is what its activity said',
    new WorkflowFailedError('failed', cause('DiskFull'), 'NON_RETRYABLE_FAILURE'),
    'DiskFull',
  ],
  ['a type that nobody knows', new WorkflowFailedError('failed', cause('Odd'), 'NON_RETRYABLE_FAILURE'), 'Internal'],
  ['anything else', new TypeError('x is not a function'), 'Internal'],
  ['what is no error at all', 'oops', 'Internal'],
])('%s', (_, error, type) => expect(asPawlError(error).type).toBe(type));
