import { expect, test } from 'vitest';
import { folderArtifacts } from '../../adapters/artifacts/folder.ts';
import { artifactsOf } from '../../adapters/artifacts/of-environment.ts';
import { parseS3Location } from '../../adapters/artifacts/s3-location.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

test.each([
  [
    's3://bucket/team/pawl?endpoint=https://minio.example.com:9000&region=eu-central-1',
    { endpoint: 'https://minio.example.com:9000', region: 'eu-central-1', bucket: 'bucket', prefix: 'team/pawl' },
  ],
  [
    's3://my.bucket-1/?region=eu-west-3',
    { endpoint: 'https://s3.eu-west-3.amazonaws.com', region: 'eu-west-3', bucket: 'my.bucket-1', prefix: '' },
  ],
  [
    's3://bucket?endpoint=http://127.0.0.1:7070/',
    { endpoint: 'http://127.0.0.1:7070', region: 'us-east-1', bucket: 'bucket', prefix: '' },
  ],
])('%s names a bucket', (text, location) => {
  expect(parseS3Location(text)).toEqual(location);
});

test.each([
  'bucket/prefix',
  'https://bucket/prefix',
  's3://',
  's3://Bucket_1',
  's3://key:secret@bucket',
  's3://bucket:9000',
  's3://bucket/a b',
  's3://bucket/../other',
  's3://bucket/a//b',
  's3://bucket/ü',
  's3://bucket#part',
  's3://bucket?endpoint=minio.example.com',
  's3://bucket?endpoint=ftp://minio.example.com',
  's3://bucket?endpoint=https://minio.example.com/path',
  's3://bucket?endpoint=https://key:secret@minio.example.com',
  's3://bucket?region=eu west',
  's3://bucket?region=a&region=b',
  's3://bucket?secret=x',
])('%s names none', (text) => {
  expect(parseS3Location(text)).toBeNull();
});

const KEYS = { AWS_ACCESS_KEY_ID: 'ID-5512', AWS_SECRET_ACCESS_KEY: 'SECRET-7781', AWS_SESSION_TOKEN: 'TOKEN-0093' };

test('the bucket and its keys come from the environment, and children that are not Pawl get neither', () => {
  const environment = readEnvironment({
    ...KEYS,
    PAWL_ARTIFACTS: 's3://bucket/home',
    PAWL_PASSPHRASE: 'P',
    PATH: '/bin',
  });
  expect(environment.artifacts).toEqual({
    location: { endpoint: 'https://s3.us-east-1.amazonaws.com', region: 'us-east-1', bucket: 'bucket', prefix: 'home' },
    credentials: { keyId: 'ID-5512', secret: 'SECRET-7781', token: 'TOKEN-0093' },
  });
  expect(environment.variables).toEqual({ PATH: '/bin' });
  expect(environment.secrets).toEqual({ ...KEYS, PAWL_ARTIFACTS: 's3://bucket/home' });
});

test('a bucket without keys is refused with what is missing', () => {
  expect(() => readEnvironment({ PAWL_ARTIFACTS: 's3://bucket', AWS_ACCESS_KEY_ID: 'x' })).toThrow(
    'AWS_SECRET_ACCESS_KEY',
  );
});

test.each([
  ['PAWL_ARTIFACTS', 's3://ID-5512:SECRET-7781@bucket'],
  ['AWS_SECRET_ACCESS_KEY', 'SECRET-7781 and more'],
  ['PAWL_CACHE', 'redis//:SECRET-7781@host'],
])('a %s that is wrong is named, and not shown', (name, value) => {
  const error = (() => {
    try {
      readEnvironment({ [name]: value });
    } catch (thrown) {
      return String(thrown);
    }
  })();
  expect(error).toContain(`${name}: expected `);
  expect(error).not.toContain('SECRET-7781');
});

test('without a bucket artifacts lie in the home', async () => {
  const folder = temporaryFolder();
  const ref = await artifactsOf(readEnvironment({}), folder).put('here');
  expect((await folderArtifacts(folder).get(ref)).toString()).toBe('here');
});
