import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findServices, loadService, parseConfig, serviceNamed } from '../../adapters/service/config.ts';
import { NOTICE_TYPES } from '../../contracts/notice.ts';

const HOUR = 3_600_000;
const GOOD = `service: docs
environment: staging
data:
  corpus: corpus.jsonl
  queries: queries.jsonl
  judgements: { train: train.tsv, test: test.tsv }
`;
const messageOf = (text: string): string => {
  try {
    parseConfig(text, 'pawl.yaml');
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'accepted';
};

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'pawl-config-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));
const write = (text: string, folder = home): string => {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'pawl.yaml');
  writeFileSync(file, text);
  return file;
};

describe('a mistake is told with file, line, key, what was expected and what came', () => {
  test.each([
    [
      'gates:\n  ndcg: { metric: ndcg, drop: three }',
      '8  gates.ndcg.drop: expected a percentage such as "3%", found "three"',
    ],
    ['gates:\n  g:\n    metric: ndcg\n    drop: 3', '10  gates.g.drop: expected text, found 3'],
    [
      'gates:\n  g: { metric: ndcg }',
      '8  gates.g: expected exactly one of drop, above, below, found {"metric":"ndcg"}',
    ],
    [
      'gates:\n  g: { metric: ndcg, drop: 3%, within: soon }',
      '8  gates.g.within: expected a duration such as "90s", "15m" or "24h", found "soon"',
    ],
    ['approval: { required: true, quorum: 0 }', '7  approval.quorum: expected a number of at least 1, found 0'],
    [
      'approval:\n  required: true\n  expires: 2h\n  remind: 2h',
      '10  approval.remind: expected at least a minute, and shorter than expires, found "2h"',
    ],
    [
      'approval: { required: true, expires: 30d, remind: 1m }',
      '7  approval.remind: expected at most 100 reminders before it expires, found "1m"',
    ],
    [
      'approval:\n  required: true\n  escalate:\n    after: 25h\n    to: [admin]',
      '10  approval.escalate.after: expected at least a minute, and shorter than expires, found "25h"',
    ],
    [
      'notify:\n  - webhook: http://hooks.internal:8080/pawl\n    secret: { env: HOOK }\n    allow: ["hooks.internal:80"]',
      '8  notify.0.webhook: expected https, or its host and port under `allow`, found something else',
    ],
    [
      'notify:\n  - webhook: https://example.com/\n    secret: { env: HOOK }\n    events: [approval.asks]',
      `10  notify.0.events.0: expected one of ${NOTICE_TYPES.join(', ')}, found "approval.asks"`,
    ],
    ['mode: run', '7  mode: expected one of observe, advise, act, found "run"'],
    ['gateway:\n  port: http', '8  gateway.port: expected a number, found "http"'],
    ['gateway: { port: 70000 }', '7  gateway.port: expected a number of at most 65535, found 70000'],
    ['deploy:', '7  deploy: expected a map, found nothing'],
    ['training: { trials: 0, time: 1m, seed: 7 }', '7  training.trials: expected a number greater than 0, found 0'],
    ['training:\n  trials: 10\n  seed: 7', '7  training.time: expected text, found nothing'],
    [
      'schedules:\n  - { name: daily, every: 1d }\n  - { name: both, every: 1h, cron: "0 * * * *" }',
      '9  schedules.1: expected exactly one of cron, every, found {"name":"both","every":"1h","cron":"0 * * * *"}',
    ],
    [
      'stages:\n  train: { taskQueue: gpu }',
      '8  stages.train: expected exactly one of activity, workflow, found {"taskQueue":"gpu"}',
    ],
    [
      'canary: { steps: [{ wait: 5m }] }',
      '7  canary.steps.0: expected one of weight: 5%, pause: 10m, approval: true, analysis: NAME, mirror: 10%, baseline: true, found {"wait":"5m"}',
    ],
    [
      'canary:\n  steps: [{ weight: 5% }, { analysis: strict }]',
      '8  canary.steps.1.analysis: expected one of standard, guard, found "strict"',
    ],
    [
      'canary:\n  steps: [{ weight: 5% }, { analysis: own }]\n  analyses:\n    own: { measures: [{ name: slow, metric: latency, failure: "result > 1" }] }',
      '8  canary.steps.1.analysis: expected an analysis that comes to an end: a measure with count or successes, or a judge with count, found "own"',
    ],
    ['canary: { steps: [{ pause: 5m }] }', '7  canary.steps: expected at least one weight, found [{"pause":"5m"}]'],
    [
      'canary:\n  steps: [{ baseline: true }, { weight: 60% }]',
      '8  canary.steps.1.weight: expected at most 50 % beside a baseline, which gets as much, found "60%"',
    ],
    [
      'canary: { steps: [{ weight: 5% }], background: null }',
      '7  canary.steps: expected an analysis among them, or in the background, found [{"weight":"5%"}]',
    ],
    ['ab: { ramp: [5%, 1%] }', '7  ab.ramp: expected shares that grow from step to step, found ["5%","1%"]'],
    ['ab: { minimum: 7d, maximum: 1d }', '7  ab.maximum: expected at least as long as minimum, found "1d"'],
    [
      'ab: { alpha: 0.01, harmAlpha: 0.02 }',
      '7  ab.harmAlpha: expected at most alpha: harm is told from noise more strictly, found 0.02',
    ],
    [
      'router:\n  hook: http://mesh.internal:8090/route\n  secret: { env: ROUTER }\n  allow: ["mesh.internal:80"]',
      '8  router.hook: expected https, or its host and port under `allow`, found something else',
    ],
    ['profiles:\n  dev:\n    mode: watch', '9  profiles.dev.mode: expected one of observe, advise, act, found "watch"'],
  ])('%s', (more, message) => {
    expect(messageOf(GOOD + more)).toBe(`pawl.yaml:${message}`);
  });
});

describe('a key that does not exist is refused, with the one that was meant', () => {
  test.each([
    ['shedules: []', 'shedules: there is no such key; did you mean schedules?'],
    ['gateway: { prot: 1 }', 'gateway.prot: there is no such key; did you mean port?'],
    ['profiles: { Production: {} }', 'profiles.Production: there is no such key; did you mean production?'],
    ['promises: { evalute: 1h }', 'promises.evalute: there is no such key; did you mean evaluate?'],
    [
      'stages: { deploy: { activity: a, taskQueue: q } }',
      'stages.deploy: there is no such key; known here: monitor, diagnose, augment, train, evaluate, watch, learn',
    ],
    ['watch: { for: 1m, samples: 3, max-drop: 3% }', 'watch.max-drop: there is no such key; did you mean maxDrop?'],
  ])('%s', (more, message) => {
    expect(messageOf(GOOD + more)).toContain(`pawl.yaml:7  ${message}`);
  });
});

test('everything that is wrong is told at once, in the order of the file', () => {
  const text = GOOD.replace('staging', 'stage').replace('corpus:', 'corpse:');
  expect(messageOf(`${text}mode: run\n`).split('\n')).toEqual([
    'pawl.yaml:2  environment: expected one of dev, staging, production, found "stage"',
    'pawl.yaml:3  data.corpus: expected text, found nothing',
    'pawl.yaml:4  data.corpse: there is no such key; did you mean corpus?',
    'pawl.yaml:7  mode: expected one of observe, advise, act, found "run"',
  ]);
});

describe('what YAML can do and a configuration must not', () => {
  const bomb = `a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: &d [*c, *c, *c, *c]\ne: [*d, *d, *d]\n`;
  test.each([
    ['a key that is there twice', `${GOOD}mode: act\nmode: observe\n`, '8  mode: this key is there twice'],
    [
      '28 __proto__ as a key',
      `${GOOD}gates:\n  __proto__: { metric: ndcg, drop: 3% }\n`,
      '8  __proto__ cannot be a key',
    ],
    [
      '28 constructor as a key',
      `${GOOD}gates: { constructor: { metric: ndcg, drop: 3% } }`,
      '7  constructor cannot be a key',
    ],
    ['29 deep nesting', '['.repeat(50_000), '1  expected a few levels of nesting, found far too many'],
    ['aliases that multiply', bomb, '1  Excessive alias count'],
    ['a tag', `${GOOD}mode: !!js/function act\n`, '7  Unresolved tag'],
    ['a key that is no text', `${GOOD}? [a]\n: b\n`, '7  With stringKeys, all keys must be strings'],
    ['two documents', `${GOOD}---\n${GOOD}`, '7  Source contains multiple documents'],
    ['too many characters', `# ${'x'.repeat(300_000)}`, '1  expected at most 200000 characters'],
    ['an empty file', '', '1  the file: expected a map, found nothing'],
    ['no YAML', 'a: [', '1  Flow sequence'],
  ])('%s is refused', (_, text, message) => {
    expect(messageOf(text)).toContain(`pawl.yaml:${message}`);
  });
});

describe('the settings of an environment', () => {
  test('come from the built-in profile where the file says nothing', async () => {
    const file = write(GOOD);
    expect(await loadService(file)).toMatchObject({ mode: 'act', approval: { required: true } });
    expect(await loadService(file, 'dev')).toMatchObject({ environment: 'dev', mode: 'observe', schedules: [] });
    expect(await loadService(file, 'production')).toMatchObject({ mode: 'act', approval: { required: true } });
  });

  test('are overridden by the file, and those by the file’s own profile of the environment', async () => {
    const file = write(`${GOOD}
mode: advise
gates: { cost: { metric: cost, above: 2 } }
limits: { cyclesPerDay: 2, cooldown: 1h, running: 1 }
profiles:
  production: { mode: act, gates: { ndcg: { metric: ndcg, drop: 5% } } }
`);
    const staging = await loadService(file);
    expect(staging.mode).toBe('advise');
    expect(Object.keys(staging.gates).sort()).toEqual(['cost', 'errors', 'latency', 'ndcg']);
    const production = await loadService(file, 'production');
    expect(production).toMatchObject({ mode: 'act', limits: { cyclesPerDay: 2, cooldown: HOUR, running: 1 } });
    expect(production.gates.ndcg).toMatchObject({ drop: 0.05, within: HOUR });
    expect(production.gates.cost).toMatchObject({ above: 2 });
  });

  test('an empty list is a value too', async () => {
    expect((await loadService(write(`${GOOD}schedules: []\n`), 'production')).schedules).toEqual([]);
  });
});

describe('abuse 64: a secret that was written down where only its name belongs is not shown', () => {
  test.each([
    'notify:\n  - webhook: https://example.com/\n    secret: hunter2hunter2',
    'notify:\n  - webhook: https://example.com/\n    secret: { value: hunter2hunter2 }',
    'notify:\n  - webhook: https://ada:hunter2hunter2@example.com/\n    secret: { env: HOOK }',
    'notify:\n  - https://example.com/hunter2hunter2',
    'router: { hook: https://ada:hunter2hunter2@example.com/, secret: { env: ROUTER } }',
    'router: { hook: https://example.com/, secret: hunter2hunter2 }',
    'canary: { steps: [{ weight: 5% }], hooks: [{ name: a, at: step, url: https://example.com/, secret: hunter2hunter2 }] }',
    'canary: { hooks: [{ name: a, at: step, url: https://example.com/, secret: hunter2 }], steps: 5 }',
    'remediation: { hooks: { restart: { url: https://example.com/, secret: hunter2hunter2 } } }',
    'canary: { steps: [{ secret: hunter2hunter2 }] }',
    'notify: { webhook: https://example.com/, secret: hunter2hunter2 }',
    'profiles:\n  staging:\n    notify:\n      - webhook: https://example.com/\n        secret: hunter2hunter2',
  ])('%j', (wrong) => {
    const message = messageOf(`${GOOD}${wrong}\n`);
    expect(message).toMatch(/expected .*, found something else/);
    expect(message).not.toContain('hunter2');
  });
});

test('paths are absolute, and the digest is that of the file', async () => {
  const config = await loadService(write(GOOD));
  expect(config.data.judgements).toEqual({ train: join(home, 'train.tsv'), test: join(home, 'test.tsv') });
  expect(config.folder).toBe(home);
  expect(config.digest).toBe(createHash('sha256').update(GOOD).digest('hex'));
});

test('the commit is that of the folder, and null outside Git', async () => {
  const file = write(GOOD);
  expect((await loadService(file)).commit).toBeNull();
  const git = (...args: string[]) =>
    execFileSync('git', ['-C', home, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], { encoding: 'utf8' });
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'config');
  expect((await loadService(file)).commit).toBe(git('rev-parse', 'HEAD').trim());
});

test('a home’s services are found in pawl.yaml and in services/', async () => {
  write(GOOD);
  write(GOOD.replace('docs', '"shop"'), join(home, 'services', 'shop'));
  mkdirSync(join(home, 'services', 'empty'));
  expect((await findServices(home)).map(({ service }) => service)).toEqual(['docs', 'shop']);
  expect((await serviceNamed(home, 'shop')).service).toBe('shop');
  await expect(serviceNamed(home, 'ship')).rejects.toMatchObject({ type: 'NotFound' });
});

test('two files for one service are refused', async () => {
  write(GOOD);
  write(GOOD, join(home, 'services', 'other'));
  await expect(findServices(home)).rejects.toThrow(/both describe the service docs/);
});

test('a file that cannot be read is an error, not a service less', async () => {
  mkdirSync(join(home, 'pawl.yaml'));
  await expect(findServices(home)).rejects.toThrow(/pawl.yaml cannot be read/);
});

test('a broken file does not hide its service', async () => {
  write(`${GOOD}mode: [`);
  write('mode: [', join(home, 'services', 'shop'));
  expect((await findServices(home)).map(({ service }) => service)).toEqual(['docs', 'shop']);
});

test('a condition that cannot be read is refused with its line, wherever it stands', () => {
  const canary = (failure: string) =>
    `canary:\n  steps: [{ weight: 5% }, { analysis: own }]\n  analyses:\n    own:\n      measures:\n        - name: slow\n          metric: latency\n          count: 5\n          failure: "${failure}"\n`;
  expect(messageOf(GOOD + canary('result.low > 1.1 * baseline.high'))).toBe('accepted');
  expect(messageOf(GOOD + canary('result.low >'))).toMatch(
    /^pawl\.yaml:15 {2}canary\.analyses\.own\.measures\.0\.failure: .*expected/,
  );
});
