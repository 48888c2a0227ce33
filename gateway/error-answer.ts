import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { withoutTokens } from '../adapters/access/token.ts';
import { type FailureType, failures, PawlError } from '../contracts/failures.ts';
import { HttpRefusal } from './refusal.ts';

/** The one shape of every answer that is not what was asked for. */
export const errorAnswer = z.object({
  error: z.object({
    type: z.enum(Object.keys(failures) as [FailureType, ...FailureType[]]),
    message: z.string(),
    hint: z.string().nullable(),
  }),
});
export type ErrorAnswer = z.infer<typeof errorAnswer>;

export const answerOf = (error: PawlError): ErrorAnswer => ({
  error: { type: error.type, message: told(error.message), hint: error.hint ?? null },
});

/** What was sent may be part of a message: of that, no key and not all of a long text. */
const told = (message: string): string => {
  const safe = withoutTokens(message).toWellFormed();
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}…` : safe;
};
const LONGEST = 1_000;

/** What a client may know of an error; what is Pawl's own fault stays in the log. */
export const publicError = (error: unknown, requestId: string): { status: number; answer: ErrorAnswer } => {
  if (error instanceof PawlError && error.type !== 'Internal') {
    const status = error instanceof HttpRefusal ? error.status : failures[error.type].httpStatus;
    return { status, answer: answerOf(error) };
  }
  const { statusCode, code, message } = error as Partial<Error & { statusCode: number; code: string }>;
  if (code === 'FST_ERR_HANDLER_TIMEOUT') {
    const late = new PawlError('Unavailable', 'The answer took too long', { hint: 'Try again, or ask for less.' });
    return { status: failures.Unavailable.httpStatus, answer: answerOf(late) };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const hint = 'What this gateway understands stands at /openapi.json.';
    return { status: statusCode, answer: answerOf(new PawlError('Usage', String(message), { hint })) };
  }
  const internal = new PawlError('Internal', 'Something went wrong in the gateway', {
    hint: `Look for request ${requestId} in its log.`,
  });
  return { status: 500, answer: answerOf(internal) };
};

export const sendError = (reply: FastifyReply, error: unknown, requestId: string): FastifyReply => {
  const { status, answer } = publicError(error, requestId);
  if (status === 503) reply.header('retry-after', '1');
  return reply.status(status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(answer);
};

/** For what Node refuses before there is a request: a malformed one, or one whose head is too long. */
export const rawError = (code: string | undefined): string => {
  const [status, message] = RAW[code ?? ''] ?? ['400 Bad Request', 'This is not an HTTP request'];
  const body = JSON.stringify(answerOf(new PawlError('Usage', message)));
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/json; charset=utf-8'];
  return [...head, `content-length: ${Buffer.byteLength(body)}`, 'connection: close', '', body].join('\r\n');
};

const RAW: Readonly<Record<string, readonly [string, string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The address or the headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive'],
};
