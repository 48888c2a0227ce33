/** What a webhook must not be talked into, against real servers on this machine and a resolver in the test's hand. */
import type { LookupAddress } from 'node:dns';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { reachOf } from '../../adapters/notifier/addresses.ts';
import { webhookNotifier } from '../../adapters/notifier/webhook.ts';
import type { Notice } from '../../contracts/notice.ts';
import { receive } from '../../docs/examples/receive-webhook.mjs';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const PUBLIC = '93.184.215.14';
const notice: Notice = {
  key: 'pawl:docs:cycle:si_2026_11_21_001/notice/approval.asked/approve/1',
  type: 'approval.asked',
  at: '2026-11-21T12:00:00.000Z',
  service: 'docs',
  cycle: 'si_2026_11_21_001',
  text: 'docs: si_2026_11_21_001 asks for approval',
  command: 'pawl approve si_2026_11_21_001 --service docs --reason "…"',
};

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly url: string;
  readonly body: string;
}
const listener = async (
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end(),
  address = '127.0.0.1',
  port = 0,
) => {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      received.push({ headers: request.headers, url: request.url ?? '', body });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { received, port: (server.address() as AddressInfo).port };
};

/** A resolver that gives these answers one after the other, and counts how often it is asked. */
const resolver = (...answers: ReadonlyArray<readonly string[]>) => {
  const asked: string[] = [];
  const lookup = async (host: string): Promise<LookupAddress[]> => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(host);
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { lookup, asked };
};

const tell = (
  webhook: string,
  {
    allow = [],
    timeoutMs,
    ...deps
  }: { allow?: string[]; lookup?: ReturnType<typeof resolver>['lookup']; timeoutMs?: number; secret?: string } = {},
): Promise<void> =>
  webhookNotifier(
    { webhook, allow },
    {
      secret: async () => deps.secret ?? SECRET,
      now: Date.now,
      ...(deps.lookup && { lookup: deps.lookup }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    },
  ).tell(notice);

describe('a webhook', () => {
  test('gets what happened, under one id for all attempts', async () => {
    const { received, port } = await listener();
    const url = `http://127.0.0.1:${port}/pawl`;
    const allow = [`127.0.0.1:${port}`];
    await tell(url, { allow });
    await tell(url, { allow });
    const { key: _, ...said } = notice;
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({ id: expect.stringMatching(/^msg_[0-9a-f]{32}$/), ...said });
    expect(received[0]?.url).toBe('/pawl');
    expect(received[0]?.headers['content-type']).toBe('application/json');
    expect(received.map(({ headers }) => headers['webhook-id'])).toEqual(
      Array(2).fill(JSON.parse(received[0]?.body ?? '').id),
    );
  });

  test.each([500, 429, 408])(
    'that answers with %d is tried again, and with another error it is not',
    async (status) => {
      const trouble = await listener((response) => response.writeHead(status).end());
      await expect(
        tell(`http://127.0.0.1:${trouble.port}/`, { allow: [`127.0.0.1:${trouble.port}`] }),
      ).rejects.toMatchObject({ type: 'Unavailable' });
      const refusal = await listener((response) => response.writeHead(404).end());
      await expect(
        tell(`http://127.0.0.1:${refusal.port}/`, { allow: [`127.0.0.1:${refusal.port}`] }),
      ).rejects.toMatchObject({ type: 'Refused' });
    },
  );

  test('that never answers, or whose name does not, is given up', async () => {
    const { port } = await listener(() => undefined);
    const allow = [`127.0.0.1:${port}`, 'hooks.test:80'];
    const slow = { type: 'Unavailable', message: expect.stringContaining('it took too long') };
    await expect(tell(`http://127.0.0.1:${port}/`, { allow, timeoutMs: 200 })).rejects.toMatchObject(slow);
    const lookup = () => new Promise<LookupAddress[]>(() => undefined);
    await expect(tell('http://hooks.test/', { allow, lookup, timeoutMs: 200 })).rejects.toMatchObject(slow);
  });

  test('that answers without end holds nothing up', async () => {
    const { port, received } = await listener((response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    await tell(`http://127.0.0.1:${port}/`, { allow: [`127.0.0.1:${port}`] });
    expect(received).toHaveLength(1);
  });

  test('speaks plain http only where its host and port are allowed', async () => {
    const { port, received } = await listener();
    const refused = { type: 'Refused', message: expect.stringContaining('does not speak https') };
    for (const allow of [[], [`127.0.0.1:${port + 1}`], ['127.0.0.1:80'], [`localhost:${port}`]]) {
      await expect(tell(`http://127.0.0.1:${port}/`, { allow })).rejects.toMatchObject(refused);
    }
    expect(received).toEqual([]);
  });

  test('does not carry a name or password in its address', async () => {
    const { port, received } = await listener();
    const failed = tell(`http://ada:hunter2@127.0.0.1:${port}/`, { allow: [`127.0.0.1:${port}`] });
    await expect(failed).rejects.toMatchObject({ type: 'Refused', message: expect.not.stringContaining('hunter2') });
    expect(received).toEqual([]);
  });
});

describe('abuse 40: a webhook to this machine, to its network or to where clouds keep credentials', () => {
  test.each([
    ['127.0.0.1', '127.8.8.8', '::1'],
    ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fdab::1'],
    ['100.64.0.1', '192.0.0.8', '192.0.2.1', '192.88.99.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1'],
    ['2001:db8::1', '2001:2::1', '2001:10::1', '3fff::1', 'fec0::1', '5f00::1', '100::1'],
    // Mapped, compatible, translated, 6to4, Teredo: of what is not public in IPv4.
    [
      '::ffff:127.0.0.1',
      '::ffff:a00:1',
      '::127.0.0.1',
      '64:ff9b::10.0.0.1',
      '64:ff9b:1::1',
      '2002:7f00:1::',
      '2001:0:7f00:1::',
    ],
  ])('%s … are private', (...addresses) => {
    expect(addresses.map((address) => [address, reachOf(address)])).toEqual(
      addresses.map((address) => [address, 'private']),
    );
  });

  test.each([
    [
      '169.254.169.254',
      '169.254.0.1',
      '168.63.129.16',
      '100.100.100.200',
      '192.0.0.192',
      'fd00:ec2::254',
      'fd20:ce::254',
    ],
    ['0.0.0.0', '0.1.2.3', '255.255.255.255', '224.0.0.1', '239.1.1.1', '::', 'ff02::1', 'fe80::1', 'fe80::1%lo'],
    ['::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '::ffff:0.0.0.0', '::169.254.169.254', 'not an address', ''],
  ])('%s … are never right', (...addresses) => {
    expect(addresses.map((address) => [address, reachOf(address)])).toEqual(
      addresses.map((address) => [address, 'never']),
    );
  });

  test('and what is public is called so', () => {
    const addresses = [
      '1.1.1.1',
      '9.255.255.255',
      '11.0.0.1',
      '172.15.0.1',
      '172.32.0.1',
      '100.63.255.255',
      PUBLIC,
      '2606:4700::1111',
      '2001:4860::8888',
      '64:ff9b::101:101',
      '::ffff:1.1.1.1',
    ];
    expect(addresses.map((address) => [address, reachOf(address)])).toEqual(
      addresses.map((address) => [address, 'public']),
    );
  });

  test.each(['127.0.0.1', '::1', '10.1.2.3', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1'])(
    'a name that resolves to %s is refused before anything is sent',
    async (address) => {
      const { lookup } = resolver([address]);
      await expect(tell('https://hooks.test/', { lookup })).rejects.toMatchObject({
        type: 'Refused',
        message: expect.stringContaining('not a public address'),
      });
    },
  );

  test('an address written into the URL is refused as well, without being asked for', async () => {
    const { lookup, asked } = resolver([PUBLIC]);
    for (const host of ['127.0.0.1', '[::1]', '169.254.169.254', '[::ffff:169.254.169.254]', '[fd00:ec2::254]']) {
      await expect(tell(`https://${host}/`, { lookup })).rejects.toMatchObject({ type: 'Refused' });
    }
    expect(asked).toEqual([]);
  });

  test('metadata services stay out of reach for a host that is allowed', async () => {
    const { lookup } = resolver(['169.254.169.254']);
    const allow = ['hooks.test:80', '169.254.169.254:80'];
    const refused = { type: 'Refused', message: expect.stringContaining('not a public address') };
    await expect(tell('http://hooks.test/', { lookup, allow })).rejects.toMatchObject(refused);
    await expect(tell('http://169.254.169.254/', { allow })).rejects.toMatchObject(refused);
  });

  test('a name is refused when one of its addresses is not public', async () => {
    const { lookup } = resolver([PUBLIC, '127.0.0.1']);
    await expect(tell('https://hooks.test/', { lookup })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('127.0.0.1'),
    });
  });
});

test('abuse 41: a name that answers differently the second time is not asked a second time', async () => {
  const right = await listener();
  const other = await listener(undefined, '127.0.0.2', right.port);
  const { lookup, asked } = resolver(['127.0.0.1'], ['127.0.0.2']);
  await tell(`http://hooks.test:${right.port}/`, { lookup, allow: [`hooks.test:${right.port}`] });
  expect(asked).toEqual(['hooks.test']);
  expect({ right: right.received.length, other: other.received.length }).toEqual({ right: 1, other: 0 });
  expect(right.received[0]?.headers.host).toBe(`hooks.test:${right.port}`);
});

test.each([301, 302, 303, 307, 308])('abuse 42: a redirect (%d) is an error and is not followed', async (status) => {
  const inside = await listener();
  const location = `http://127.0.0.1:${inside.port}/latest/meta-data/`;
  const outside = await listener((response) => response.writeHead(status, { location }).end());
  await expect(
    tell(`http://127.0.0.1:${outside.port}/`, { allow: [`127.0.0.1:${outside.port}`, `127.0.0.1:${inside.port}`] }),
  ).rejects.toMatchObject({ type: 'Refused', message: expect.stringContaining('redirect') });
  expect({ outside: outside.received.length, inside: inside.received.length }).toEqual({ outside: 1, inside: 0 });
});

describe('abuse 43: another spelling of 127.0.0.1 is 127.0.0.1', () => {
  test.each([
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '017700000001',
    '0177.0.0.1',
    '127.1',
    '127.0.1',
    '127.0.0.1.',
    '①②⑦.⓪.⓪.①',
    '１２７。０。０。１',
    '%31%32%37.0.0.1',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
  ])('%s', async (host) => {
    const { lookup } = resolver([PUBLIC]);
    await expect(tell(`https://${host}/`, { lookup })).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('not a public address'),
    });
  });

  test.each(['localhost', 'LOCALHOST'])('%s, by the resolver of this machine', async (host) => {
    await expect(tell(`https://${host}/`)).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining('not a public address'),
    });
  });
});

describe('abuse 45: a receiver that checks as the documentation shows', () => {
  const delivered = async () => {
    const { received, port } = await listener();
    await tell(`http://127.0.0.1:${port}/`, { allow: [`127.0.0.1:${port}`] });
    const [{ headers, body }] = received as [Received];
    return { headers, body };
  };
  const options = () => ({ secret: SECRET, seen: new Set<string>() });

  test('takes what Pawl sends', async () => {
    const { headers, body } = await delivered();
    expect(receive(headers, body, options())).toMatchObject({
      message: { type: 'approval.asked', cycle: notice.cycle },
    });
  });

  test('refuses a body, an id or a time that was changed, and another secret', async () => {
    const { headers, body } = await delivered();
    const refused = { refused: 'the signature is not that of this message' };
    const otherSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`;
    expect(receive(headers, body.replace('docs', 'dogs'), options())).toEqual(refused);
    expect(receive({ ...headers, 'webhook-id': 'msg_other' }, body, options())).toEqual(refused);
    expect(
      receive({ ...headers, 'webhook-timestamp': `${Number(headers['webhook-timestamp']) + 1}` }, body, options()),
    ).toEqual(refused);
    expect(receive(headers, body, { ...options(), secret: otherSecret })).toEqual(refused);
    const value = String(headers['webhook-signature']).slice(3);
    for (const signature of [undefined, '', 'v1,', `v2,${value}`, value, `v1a,${value}`]) {
      expect(receive({ ...headers, 'webhook-signature': signature }, body, options())).toEqual(refused);
    }
  });

  test('refuses what is too old, and what comes again', async () => {
    const { headers, body } = await delivered();
    const given = options();
    expect(receive(headers, body, { ...given, now: Date.now() + 301_000 })).toEqual({
      refused: expect.stringContaining('too old'),
    });
    expect(receive(headers, body, given)).toHaveProperty('message');
    expect(receive(headers, body, given)).toEqual({ refused: 'this message came before' });
  });

  test('finds the signature that the scheme’s own example has', async () => {
    const { signatureHeaders } = await import('../../adapters/notifier/signature.ts');
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const headers = signatureHeaders(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330, '{"test": 2432232314}');
    expect(headers['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('abuse 64: a webhook’s secret is in no error', () => {
  test.each(['hunter2', `whsec_hunter2${'='.repeat(9)}`, 'hunter2 with blanks and long enough to be one'])(
    '%s',
    async (secret) => {
      const { port } = await listener();
      const failed = tell(`http://127.0.0.1:${port}/hunter2-in-the-path`, { allow: [`127.0.0.1:${port}`], secret });
      await expect(failed).rejects.toMatchObject({ type: 'ConfigInvalid' });
      const error = await failed.catch((wrong: Error) => wrong);
      expect(`${error}${(error as Error).stack}`).not.toContain('hunter2');
    },
  );

  test('and neither is the path of its address', async () => {
    const { port } = await listener((response) => response.writeHead(500).end('hunter2'));
    const failed = tell(`http://127.0.0.1:${port}/hunter2?key=hunter2`, { allow: [`127.0.0.1:${port}`] });
    const error = await failed.catch((wrong: Error) => wrong);
    expect(`${error}${(error as Error).stack}`).not.toContain('hunter2');
  });
});
