import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { openHome } from '../../workers/home.ts';
import { hasS3Server, KEYS, type S3Server, startS3Server } from '../support/s3.ts';
import { errorOf, folderWithData, INIT, pawlIn } from './cli-world.ts';

describe.skipIf(!hasS3Server)('a home whose artifacts lie in a bucket', () => {
  let server: S3Server;
  let home: string;
  let variables: Record<string, string>;
  beforeAll(async () => {
    server = await startS3Server();
    home = await folderWithData();
    const { endpoint, region } = server.location;
    variables = {
      PAWL_ARTIFACTS: `s3://shared/team?endpoint=${endpoint}&region=${region}`,
      AWS_ACCESS_KEY_ID: KEYS.keyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secret,
    };
  });
  afterAll(async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  });
  const pawl = (...args: string[]) => pawlIn(home, args, variables);
  const folderOf = (root: string, sha256: string): string => join(root, 'sha256', sha256.slice(0, 2), sha256);

  test('is made by `pawl init`, its champion is read from the bucket, and no key stands in a file of it', async () => {
    expect(await pawl(...INIT)).toMatchObject({ code: 0 });
    const shown = await pawl('variant', 'ls', '--json');
    const [{ artifact }] = shown.json as [{ artifact: { sha256: string } }];
    const { sha256 } = artifact;
    expect(existsSync(folderOf(join(server.folder, 'team'), sha256))).toBe(true);
    expect(existsSync(folderOf(homePaths(home).artifacts, sha256))).toBe(false);
    expect(await pawl('variant', 'show', 'champion', '--json')).toMatchObject({ code: 0 });
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).map((name) => join(home, name));
    for (const file of files.filter((path) => statSync(path).isFile())) {
      expect(readFileSync(file).includes(KEYS.secret), file).toBe(false);
    }
  });

  test('is worked on by workers and the gateway with the same bucket', async () => {
    const deps = openHome(readEnvironment({ ...variables, PAWL_HOME: home }));
    const { sha256 } = await deps.artifacts.put('made by a worker');
    deps.close();
    expect(readFileSync(folderOf(join(server.folder, 'team'), sha256), 'utf8')).toBe('made by a worker');
  });

  test.each([
    ['gc', ['gc', '--dry-run']],
    ['backup', ['backup', '../nowhere']],
    ['restore', ['restore', '../nowhere', '--into', '../nowhere-either']],
    ['erase', ['erase', '--subject', 'someone', '--reason', 'asked for', '--yes']],
    ['check', ['check']],
  ])('is refused by `pawl %s`, which works on files', async (name, args) => {
    const ran = await pawl(...args, '--json');
    expect(ran.code).toBe(5);
    expect(errorOf(ran)).toMatchObject({ type: 'Refused', message: expect.stringContaining(`\`pawl ${name}\``) });
    expect(ran.stdout + ran.stderr).not.toContain(KEYS.secret);
  });
});
