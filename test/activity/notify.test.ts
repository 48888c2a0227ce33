import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createNotifyActivities } from '../../activities/notify.ts';
import { consoleNotifier } from '../../adapters/notifier/console.ts';
import type { Webhook } from '../../contracts/config.ts';
import type { Notice } from '../../contracts/notice.ts';
import '../../drills/quiet-runtime.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SECRET = Buffer.alloc(32, 7).toString('base64');
const notice: Notice = {
  key: 'pawl:docs:cycle:si_2026_11_21_001/notice/approval.asked/approve/1',
  type: 'approval.asked',
  at: '2026-11-21T12:00:00.000Z',
  service: 'docs',
  cycle: 'si_2026_11_21_001',
  text: 'docs: it asks for approval',
};

/** A receiver that answers so. */
const receiver = async (status = 204) => {
  const ids: string[] = [];
  const server = createServer((request, response) => {
    ids.push(String(request.headers['webhook-id']));
    response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const at: Webhook = { webhook: `http://${address}/`, allow: [address], secret: { env: 'HOOK' } };
  return { ids, at };
};

const notifying = (notify: Webhook[], folder = '/') => {
  const lines: string[] = [];
  const activities = createNotifyActivities({
    services: { config: async () => ({ notify, folder }) },
    console: consoleNotifier((line) => lines.push(line)),
    variables: { HOOK: SECRET, EMPTY: '' },
    now: Date.now,
  });
  const run = (told: Notice = notice, attempt = 1) =>
    new MockActivityEnvironment({ attempt }).run<[Notice], void, typeof activities.notify>(activities.notify, told);
  return { run, lines };
};

test('a notice is a line on the log and a message to each webhook', async () => {
  const [one, other] = [await receiver(), await receiver()];
  const { run, lines } = notifying([one.at, other.at]);
  await run();
  expect(lines).toEqual(['approval.asked  docs: it asks for approval']);
  expect(one.ids).toEqual(other.ids);
  expect(one.ids).toHaveLength(1);
});

test('another attempt writes no second line, and sends the same id', async () => {
  const { ids, at } = await receiver();
  const { run, lines } = notifying([at]);
  await run(notice, 1);
  await run(notice, 2);
  expect(lines).toHaveLength(1);
  expect(new Set(ids).size).toBe(1);
});

test('a webhook hears only of the events that it asks for', async () => {
  const { ids, at } = await receiver();
  const { run } = notifying([{ ...at, events: ['approval.escalated', 'cycle.killed'] }]);
  await run();
  expect(ids).toEqual([]);
  await run({ ...notice, type: 'cycle.killed' });
  expect(ids).toHaveLength(1);
});

test('one that cannot be reached keeps no other from hearing, and what failed is named', async () => {
  const [refuses, busy, fine] = [await receiver(404), await receiver(503), await receiver()];
  const { run } = notifying([refuses.at, busy.at, fine.at]);
  await expect(run()).rejects.toMatchObject({
    type: 'Unavailable',
    nonRetryable: false,
    message: expect.stringMatching(/answered with 404.*answered with 503/),
  });
  expect(fine.ids).toHaveLength(1);
});

test('is not tried again where that can help none of them', async () => {
  const { at } = await receiver(404);
  await expect(notifying([at]).run()).rejects.toMatchObject({ type: 'Refused', nonRetryable: true });
});

test('abuse 39: what people and stages wrote cannot start a line of its own on the log, or colour one', async () => {
  const { run, lines } = notifying([]);
  await run({ ...notice, text: 'fine\r\nERROR all is lost\u001b[31m\u202e\u2028end', command: 'pawl approve\u0007' });
  expect(lines).toEqual(['approval.asked  fine ERROR all is lost [31m end  (pawl approve )']);
});

describe('a secret', () => {
  test('is read from a file beside pawl.yaml at each use', async () => {
    const folder = temporaryFolder();
    const { ids, at } = await receiver();
    const { run } = notifying([{ ...at, secret: { file: 'hook.txt' } }], folder);
    await expect(run()).rejects.toMatchObject({ type: 'ConfigInvalid', message: expect.stringContaining('ENOENT') });
    writeFileSync(join(folder, 'hook.txt'), `whsec_${SECRET}\n`);
    await run();
    expect(ids).toHaveLength(1);
  });

  test.each(['EMPTY', 'MISSING'])('that is not there is named, with what to do (%s)', async (env) => {
    const { ids, at } = await receiver();
    await expect(notifying([{ ...at, secret: { env } }]).run()).rejects.toMatchObject({
      type: 'ConfigInvalid',
      message: expect.stringMatching(new RegExp(`${env} holds no secret.*pawl up`)),
    });
    expect(ids).toEqual([]);
  });

  test('abuse 64: is in no failure that a history would keep', async () => {
    for (const status of [404, 503]) {
      const { at } = await receiver(status);
      const failed: Error = await notifying([at])
        .run()
        .then(
          () => new Error('it did not fail'),
          (error) => error,
        );
      const kept = [failed, failed.cause, (failed.cause as Error).cause];
      expect(kept.map((error) => `${error} ${JSON.stringify(error)} ${(error as Error)?.stack}`).join()).not.toContain(
        SECRET,
      );
    }
  });
});
