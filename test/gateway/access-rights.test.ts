import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import { type Asked, createRights, type RightsDeps } from '../../gateway/access-rights.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FREEZE = `@id("own.closed")
@because("the shop is closed")
forbid (principal, action, resource) when { resource.name == "shop" };`;

const asked = (over: Partial<Asked> = {}): Asked => ({
  caller: { key: '4f2a91c04f2a91c0', tenant: 'default', role: 'reader' },
  action: 'search',
  service: 'shop',
  tenant: 'default',
  open: false,
  local: false,
  ...over,
});

const rights = (over: Partial<RightsDeps> = {}) => {
  const home = temporaryFolder();
  const errors: string[] = [];
  const time = { now: 0 };
  const quiet = () => undefined;
  const logger = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (_: object, message: string) => errors.push(message),
  };
  const environments = new Map([
    ['docs', 'staging'],
    ['shop', 'production'],
  ] as const);
  const ask = createRights({ policy: cedarPolicy({ home }), environments, logger, clock: () => time.now, ...over });
  const own = async (text: string) => {
    await mkdir(join(home, 'policies'), { recursive: true });
    await writeFile(join(home, 'policies', 'own.cedar'), text);
  };
  return { ask, home, errors, time, own };
};

test('a change of the policies counts within a second, for what was answered before too', async () => {
  const { ask, own, home, time } = rights();
  expect(await ask(asked())).toMatchObject({ allowed: true });
  await own(FREEZE);
  time.now = 999;
  expect(await ask(asked())).toMatchObject({ allowed: true });
  time.now = 1_000;
  expect(await ask(asked())).toEqual({ allowed: false, because: 'the shop is closed' });
  expect(await ask(asked({ service: 'docs' }))).toMatchObject({ allowed: true });
  await rm(join(home, 'policies'), { recursive: true });
  time.now = 2_000;
  expect(await ask(asked())).toMatchObject({ allowed: true });
});

test('what is answered to one caller is not answered to another', async () => {
  const { ask } = rights();
  const caller = asked().caller;
  const answers = [
    await ask(asked({ action: 'documents', caller: { ...caller, role: 'writer' } })),
    await ask(asked({ action: 'documents' })),
    await ask(asked({ action: 'documents', caller: { ...caller, role: 'writer', tenant: 'acme' } })),
    await ask(asked({ action: 'documents', caller: { ...caller, role: 'writer' } })),
  ];
  expect(answers.map(({ allowed }) => allowed)).toEqual([true, false, false, true]);
});

test('abuse 25: policies that are broken permit nothing, tell a client nothing of it, and hold again when they are mended', async () => {
  const { ask, own, errors, time } = rights();
  expect(await ask(asked())).toMatchObject({ allowed: true });
  await own('permit (principal');
  time.now = 1_000;
  for (let n = 0; n < 3; n += 1) {
    expect(await ask(asked())).toEqual({ allowed: false, because: 'the policies cannot be asked now' });
  }
  expect(errors).toHaveLength(1);
  await own(FREEZE.replaceAll('shop', 'other'));
  time.now = 2_000;
  expect(await ask(asked())).toMatchObject({ allowed: true });
});

test('abuse 25: an engine that is gone, or that fails in the middle of a decision, permits nothing', async () => {
  const { home } = rights();
  const gone = rights({ policy: cedarPolicy({ home, load: () => Promise.reject(new Error('no WebAssembly here')) }) });
  expect(await gone.ask(asked())).toEqual({ allowed: false, because: 'the policies cannot be asked now' });

  let works = false;
  const real = cedarPolicy({ home });
  const policy: typeof real = {
    bundle: real.bundle,
    decide: async (question) => {
      if (works) return real.decide(question);
      const because = 'the policy x cannot be evaluated: overflow';
      return { id: question.id, allowed: false, policies: [], because, bundle: (await real.bundle()).digest };
    },
  };
  const failing = rights({ policy });
  expect(await failing.ask(asked())).toEqual({ allowed: false, because: 'the policies cannot be asked now' });
  works = true;
  expect(await failing.ask(asked())).toMatchObject({ allowed: true });
});

test('where it is not known which service is meant, it is all of them, in the strictest of their environments', async () => {
  const { ask, own } = rights();
  await own(`@id("own.strict") @because("{open}")
forbid (principal, action, resource) unless { resource has environment && resource.environment == "production" && resource.name == "*" };`);
  expect(await ask(asked({ service: null }))).toMatchObject({ allowed: true });
  expect(await ask(asked({ service: 'docs' }))).toMatchObject({ allowed: false });
});
