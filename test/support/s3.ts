/** A real server that speaks S3, over a folder, and a door before it that can misbehave as networks and servers do. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { onTestFinished, vi } from 'vitest';
import type { S3Location } from '../../adapters/artifacts/s3-location.ts';
import type { S3Credentials } from '../../adapters/artifacts/s3-signature.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { s3ServerPath } from '../../infra/setup/test-s3.ts';
import { freePorts } from '../../infra/temporal/ports.ts';

const binary = s3ServerPath(readEnvironment());
/** Where it was not built yet (`npm test` does so): `describe.skipIf`. */
export const hasS3Server = existsSync(binary);

export const KEYS: S3Credentials = { keyId: 'pawl-test-key', secret: 'pawl-test-secret', token: null };

export interface S3Server {
  readonly location: S3Location;
  /** Where the objects of its only bucket lie as files. */
  readonly folder: string;
  stop(): Promise<void>;
}

export const startS3Server = async (): Promise<S3Server> => {
  const root = mkdtempSync(join(tmpdir(), 'pawl-s3-'));
  const folder = join(root, 'shared');
  mkdirSync(folder);
  const [port = 0] = await freePorts(1);
  const endpoint = `http://127.0.0.1:${port}`;
  const options = [
    '--port',
    `127.0.0.1:${port}`,
    '--region',
    'eu-north-1',
    '--health',
    '/health',
    '--keep-alive',
    '--quiet',
  ];
  const child = spawn(binary, [...options, 'posix', root], {
    stdio: 'ignore',
    env: { ROOT_ACCESS_KEY: KEYS.keyId, ROOT_SECRET_KEY: KEYS.secret },
  });
  await vi.waitFor(async () => {
    if (child.exitCode !== null) throw new Error(`the S3 server ended with exit code ${child.exitCode}`);
    if (!(await fetch(`${endpoint}/health`)).ok) throw new Error('the S3 server is not ready');
  }, 20_000);
  return {
    location: { endpoint, region: 'eu-north-1', bucket: 'shared', prefix: 'home' },
    folder,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(root, { recursive: true, force: true });
    },
  };
};

/** An HTTP status with a code of S3, an answer that is cut, a connection that is closed, or no word at all. */
export type Fault = readonly [status: number, code: string] | 'half' | 'hang up' | 'silence';

export interface S3Door {
  readonly location: S3Location;
  /** What came through, with the status that went back. */
  readonly calls: string[];
  /** The next ones are met with these. */
  fail(...faults: Fault[]): void;
}

export const doorTo = async ({ location }: S3Server): Promise<S3Door> => {
  const calls: string[] = [];
  const faults: Fault[] = [];
  const server = createServer(async (asked, answer) => {
    const body = await buffer(asked);
    const fault = faults.shift();
    if (fault === 'hang up') return asked.socket.destroy();
    if (fault === 'silence') return;
    const { status, headers, content } =
      fault && fault !== 'half'
        ? { status: fault[0], headers: {}, content: Buffer.from(`<Error><Code>${fault[1]}</Code></Error>`) }
        : await passedOn(location.endpoint, asked, body);
    calls.push(`${asked.method} ${status}`);
    send(answer, status, { ...headers, 'content-length': String(content.length) }, content, fault === 'half');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { location: { ...location, endpoint }, calls, fail: (...more) => faults.push(...more) };
};

const send = (answer: ServerResponse, status: number, headers: object, content: Buffer, cut: boolean): void => {
  answer.writeHead(status, { ...headers });
  if (cut) answer.write(content.subarray(0, content.length / 2), () => answer.destroy());
  else answer.end(content);
};

/** As it came, `host` too: that one is signed. */
const passedOn = async (endpoint: string, { method, url, headers }: IncomingMessage, body: Buffer) => {
  const sent = request(endpoint + url, { method, headers }).end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const { date, 'content-type': type } = answer.headers;
  const kept = { ...(date && { date }), ...(type && { 'content-type': type }) };
  return { status: answer.statusCode ?? 0, headers: kept, content: await buffer(answer) };
};
