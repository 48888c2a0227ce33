import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { artifactPath } from '../../adapters/artifacts/paths.ts';
import { evidenceFolder, readFolder, sha256 } from '../../adapters/evidence/folder.ts';
import { openStatement } from '../../adapters/evidence/statement.ts';
import { homePaths } from '../../adapters/home.ts';
import { CYCLE, cycleEvidence, PLAN } from '../support/cycle-evidence.ts';
import { SERVICE, type SearchService } from '../support/search-service.ts';

const folderOf = ({ config }: SearchService) => evidenceFolder(homePaths(config.folder).evidence, SERVICE, CYCLE);
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();

test('a promoted cycle leaves every file under its name, bound together by a signed statement', async () => {
  const { service, order, seal, challenger } = await cycleEvidence();
  const sealed = await seal(order);
  expect(sealed).toMatchObject({ outcome: 'promoted', complete: true, missing: [] });
  const run = `mlflow_run_${order.evidence.train?.sha256.slice(0, 32)}`;
  const folder = folderOf(service);
  expect(filesIn(folder)).toEqual(
    [
      ...['ab_test_results.json', 'augmented_dataset.csv', 'configuration.json', 'dataset_manifest.yaml'],
      ...['diagnostic_report.json', 'evaluation.json', 'helm_patch.yaml', 'lesson.json'],
      ...[`${run}/metrics/scores.json`, `${run}/metrics/trials.json`, `${run}/model/variant.json`],
      ...['monitor.json', 'statement.json'],
    ].sort(),
  );
  expect(sha256(readFileSync(join(folder, run, 'model/variant.json')))).toBe(challenger);

  const statement = readFileSync(join(folder, 'statement.json'));
  expect(sha256(statement)).toBe(sealed.statement.sha256);
  expect(await service.deps.artifacts.get(sealed.statement)).toEqual(statement);
  const { subject, predicate } = openStatement(statement);
  for (const { name, digest } of subject) {
    expect(sha256(readFileSync(join(folder, name)))).toBe(digest.sha256);
    const ref = { uri: `artifact:sha256/${digest.sha256}`, sha256: digest.sha256 };
    expect(await service.deps.artifacts.has(ref), `${name} is an artifact too`).toBe(true);
  }
  expect(subject.map(({ name }) => name)).toEqual(filesIn(folder).filter((name) => name !== 'statement.json'));
  expect(predicate).toMatchObject({ service: SERVICE, cycle: CYCLE, challenger, config: PLAN.config, commit: null });
});

test('each file says which schema it follows, and holds what its stage found', async () => {
  const { service, order, seal, challenger } = await cycleEvidence();
  await seal(order);
  const folder = folderOf(service);
  const json = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const yaml = (name: string) => parse(readFileSync(join(folder, name), 'utf8'));
  expect(json('diagnostic_report.json')).toMatchObject({ schema: 'pawl/diagnostic_report/v1', stage: 'diagnose' });
  expect(json('monitor.json')).toMatchObject({ schema: 'pawl/monitor/v1', findings: [{ state: 'breach' }, {}] });
  expect(json('evaluation.json')).toMatchObject({ schema: 'pawl/evaluation/v1', verdict: 'better' });
  expect(json('ab_test_results.json')).toMatchObject({
    schema: 'pawl/ab_test_results/v1',
    state: 'healthy',
    share: 0.5,
  });
  expect(json('lesson.json')).toMatchObject({ schema: 'pawl/lesson/v1', outcome: 'promoted' });
  expect(json('configuration.json')).toMatchObject({
    schema: 'pawl/configuration/v1',
    commit: null,
    config: PLAN.config,
    plan: { gates: PLAN.gates },
    request: { trigger: 'gate' },
  });
  const csv = readFileSync(join(folder, 'augmented_dataset.csv'), 'utf8').trimEnd().split('\r\n');
  expect(yaml('dataset_manifest.yaml')).toMatchObject({
    schema: 'pawl/dataset_manifest/v1',
    train: { queries: 40 },
    csv: { rows: csv.length - 1, sha256: sha256(Buffer.from(`${csv.join('\r\n')}\r\n`)) },
  });
  expect(csv[0]).toBe('kind,origin,query_id,text,target,value');
  expect(csv).toContain('judgement,judged:train,q-read-file,how to read the files here,read-file,1');
  expect(yaml('helm_patch.yaml')).toMatchObject({
    schema: 'pawl/helm_patch/v1',
    selfImprovement: { environment: 'staging', services: { docs: { champion: { id: challenger, share: 1 } } } },
  });
});

test('sealing again, or with the same done twice over, changes nothing and answers the same', async () => {
  const { service, order, seal } = await cycleEvidence();
  const first = await seal(order);
  const before = statSync(folderOf(service)).mtimeMs;
  expect(await seal({ ...order, done: [...order.done, 'promote'] })).toEqual(first);
  expect(await Promise.all([seal(order), seal(order)])).toEqual([first, first]);
  expect(statSync(folderOf(service)).mtimeMs).toBe(before);
});

test('a folder that was changed is not sealed over, and not mended in silence', async () => {
  const { service, order, seal } = await cycleEvidence();
  await seal(order);
  writeFileSync(join(folderOf(service), 'evaluation.json'), '{}');
  await expect(seal(order)).rejects.toMatchObject({ type: 'Refused', nonRetryable: true });
  expect(readFileSync(join(folderOf(service), 'evaluation.json'), 'utf8')).toBe('{}');
});

test('another end of the same cycle is not written into the folder that is there', async () => {
  const { order, seal } = await cycleEvidence();
  await seal(order);
  const other = { ...order, end: { ...order.end, outcome: 'rolled back' as const } };
  await expect(seal(other)).rejects.toMatchObject({ type: 'Refused' });
});

test('refused as complete when a stage that ran left its file out', async () => {
  const { service, order, seal } = await cycleEvidence();
  const { evaluate: _, ...evidence } = order.evidence;
  const sealed = await seal({ ...order, evidence });
  expect(sealed).toMatchObject({ complete: false, missing: ['evaluation.json'] });
  const { predicate } = openStatement(await service.deps.artifacts.get(sealed.statement));
  expect(predicate).toMatchObject({ complete: false, missing: ['evaluation.json'] });
});

test('an artifact that was damaged, or is gone, is missing from the evidence', async () => {
  const { service, order, seal } = await cycleEvidence();
  const { artifacts } = homePaths(service.config.folder);
  writeFileSync(artifactPath(artifacts, order.evidence.watch?.sha256 ?? ''), '{}');
  const nothing = 'f'.repeat(64);
  const evidence = { ...order.evidence, diagnose: { uri: `artifact:sha256/${nothing}`, sha256: nothing } };
  expect(await seal({ ...order, evidence })).toMatchObject({
    complete: false,
    missing: ['diagnostic_report.json', 'ab_test_results.json'],
  });
});

test("a stage of the service's own may leave any JSON, which is copied as it is; anything else is missing", async () => {
  const { service, order, seal } = await cycleEvidence();
  const own = { runs: 'activity', taskQueue: 'docs-python', timeoutMs: 1_000 } as const;
  const stages = {
    ...PLAN.stages,
    diagnose: { ...own, name: 'diagnose' },
    train: { ...own, name: 'fit' },
    evaluate: { ...own, name: 'compare' },
  };
  const evidence = {
    ...order.evidence,
    diagnose: await service.deps.artifacts.put('{ "terms": [1, 2] }'),
    train: await service.deps.artifacts.putJson({ loss: 0.1 }),
    evaluate: await service.deps.artifacts.put('\u0000binary'),
  };
  const sealed = await seal({ ...order, plan: { ...PLAN, stages }, evidence });
  expect(sealed).toMatchObject({ complete: false, missing: ['evaluation.json'] });
  const files = await readFolder(folderOf(service));
  expect(files?.get('diagnostic_report.json')?.toString()).toBe('{ "terms": [1, 2] }');
  const run = `mlflow_run_${evidence.train.sha256.slice(0, 32)}`;
  expect(files?.get(`${run}/metrics/evidence.json`)?.toString()).toBe('{"loss":0.1}');
  expect(files?.has(`${run}/model/variant.json`)).toBe(true);
});

test('a cycle that was stopped while it was watched still says who was on trial', async () => {
  const { order, seal, service, challenger } = await cycleEvidence();
  const end = { outcome: 'killed', because: 'it smells', challenger: null, champion: order.champion } as const;
  const { watch: _, learn: __, ...evidence } = order.evidence;
  const done = order.done.filter((stage) => !['watch', 'promote', 'learn'].includes(stage));
  expect(await seal({ ...order, end, evidence, done })).toMatchObject({ complete: true });
  const files = await readFolder(folderOf(service));
  expect(parse(files?.get('helm_patch.yaml')?.toString() ?? '')).toMatchObject({
    selfImprovement: { services: { docs: { champion: { id: order.champion }, challenger: { id: challenger } } } },
  });
});

test('a cycle in which nothing beat the champion has no model, and is complete without one', async () => {
  const { service, order, seal } = await cycleEvidence();
  const { artifacts } = service.deps;
  const trained = (await artifacts.getJson(order.evidence.train ?? { uri: '', sha256: '' })) as { trials: object[] };
  const train = await artifacts.putJson({ ...trained, challenger: null, trials: trained.trials.slice(0, 1) });
  const { monitor, diagnose, augment } = order.evidence;
  const sealed = await seal({
    ...order,
    end: { outcome: 'rejected', because: 'nothing to try', challenger: null, champion: order.champion },
    evidence: { ...(monitor && { monitor }), ...(diagnose && { diagnose }), ...(augment && { augment }), train },
    done: ['monitor', 'diagnose', 'augment', 'train'],
  });
  expect(sealed).toMatchObject({ complete: true, missing: [] });
});

test('what one person had approved stays, where another one then rejected', async () => {
  const { service, order, seal } = await cycleEvidence();
  const approvals = [{ person: 'ada', role: 'approver', reason: 'fine', at: '2026-11-21T12:00:00.000Z' }];
  const end = { ...order.end, outcome: 'rejected', because: 'not on a Friday', champion: order.champion } as const;
  const done = order.done.slice(0, order.done.indexOf('deploy'));
  expect(await seal({ ...order, end, done, approvals })).toMatchObject({ complete: true });
  const files = await readFolder(folderOf(service));
  expect(JSON.parse(files?.get('approvals.json')?.toString() ?? '')).toMatchObject({ approvals: [{ person: 'ada' }] });
});
