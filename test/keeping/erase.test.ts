import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sqliteFeedback } from '../../adapters/feedback/sqlite.ts';
import type { Wanted } from '../../adapters/keeping/asked.ts';
import { type EraseOrder, erase } from '../../adapters/keeping/erase.ts';
import { subjectHasher } from '../../adapters/keys/subject-key.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import type { ServedQuery } from '../../adapters/query-log/port.ts';
import { sqliteQueryLog } from '../../adapters/query-log/sqlite.ts';
import { keptHome, SERVICE } from './home.ts';

const SECRET = 'where does Jane Doe keep her passport';
const OTHER = 'how to read files';

const askedHome = async () => {
  const home = await keptHome();
  const hash = subjectHasher(home.paths.keys);
  const log = sqliteQueryLog(home.paths.metrics);
  onTestFinished(() => log.close());
  const row = (query: string, subject?: string): ServedQuery => ({
    at: home.clock.now,
    service: SERVICE,
    variant: home.champion,
    query,
    ranked: ['d'],
    latencyMs: 1,
    error: null,
    cost: 0,
    ...(subject === undefined ? {} : { subject: hash(subject) }),
  });
  const left = async () =>
    (await log.read({ service: SERVICE, from: 0, to: home.clock.now + 1 })).map(({ query }) => query);
  const run = (over: Partial<EraseOrder> & { subject?: string } = {}) => {
    const wanted: Wanted = { by: 'subject', hash: hash(over.subject ?? 'jane') };
    const order = { wanted, reason: 'request 12', actor: { kind: 'person', name: 'ada' }, dryRun: false };
    return erase({ ...home, ownFiles: [join(home.home, 'queries.jsonl')] }, { ...order, ...over });
  };
  return { ...home, log, row, left, run, hash };
};

/** Every file of the home in which this text stands, in whatever file. */
const filesWith = (home: string, text: string): string[] =>
  readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
    (name) => statSync(join(home, name)).isFile() && readFileSync(join(home, name), 'latin1').includes(text),
  );

test("a subject's queries are gone, and those of others stay", async () => {
  const { log, row, left, run } = await askedHome();
  await log.append([row(SECRET, 'jane'), row(OTHER, 'jane'), row('another question', 'joe'), row('nobody asked this')]);
  expect(await run()).toMatchObject({ rows: 2, texts: [] });
  expect(await left()).toEqual(['another question', 'nobody asked this']);
});

test('that a subject was part of an experiment goes with what it asked, and that of others stays', async () => {
  const { log, paths, row, run, hash } = await askedHome();
  const enrolled = (subject: string): ServedQuery => ({
    ...row(OTHER, subject),
    ...{ answer: subject, experiment: '0.1', phase: 0.1 },
  });
  await log.append([enrolled('jane'), enrolled('joe')]);
  expect(await run()).toMatchObject({ rows: 1 });
  const arms = { service: SERVICE, experiment: '0.1', variants: [enrolled('joe').variant, 'other'] } as const;
  const left = await log.exposures({ ...arms, after: { at: 0, subject: '' }, to: Number.MAX_SAFE_INTEGER, limit: 9 });
  expect(left.map(({ subject }) => subject)).toEqual([hash('joe')]);
  expect(readFileSync(paths.metrics, 'latin1')).not.toContain(hash('jane'));
});

test('what was asked of other variants too, unseen, goes with the subject as well', async () => {
  const { log, row, run } = await askedHome();
  const copy: ServedQuery = { ...row(SECRET, 'jane'), answer: 'own', of: 'x', mirrored: true };
  await log.append([row(SECRET, 'jane'), copy, { ...copy, answer: 'other', of: 'y', ...{ subject: 'joe' } }]);
  expect(await run()).toMatchObject({ rows: 2 });
  const left = await log.read({ service: SERVICE, from: 0, to: Number.MAX_SAFE_INTEGER, mirrored: true });
  expect(left.map(({ of }) => of)).toEqual(['y']);
});

test('no byte of the text is left in any file of the home, not in the write-ahead log, not in free pages', async () => {
  const { home, paths, log, row, run, artifacts } = await askedHome();
  const long = `${SECRET} ${'and more '.repeat(200)}`;
  await log.append(Array.from({ length: 300 }, (_, n) => row(n % 3 === 0 ? long : SECRET, 'jane')));
  await log.append([row(OTHER, 'joe')]);
  // What was forgotten by its age before left its bytes in pages that are free now.
  const other = new DatabaseSync(paths.metrics);
  other.exec('DELETE FROM queries WHERE rowid <= 100');
  other.close();
  await artifacts.putJson({ stage: 'diagnose', worst: [{ text: SECRET, ndcg: 0 }] });
  expect(filesWith(home, 'Jane Doe').length).toBeGreaterThan(1);
  await run();
  expect(filesWith(home, 'Jane Doe')).toEqual([]);
  expect(await log.read({ service: SERVICE, from: 0, to: Number.MAX_SAFE_INTEGER })).toHaveLength(1);
});

test('what a subject told of their answers and judged is gone with its bytes, and what others told stays', async () => {
  const home = await askedHome();
  const { log, row, run, hash, clock } = home;
  const feedback = sqliteFeedback(home.paths.metrics);
  onTestFinished(() => feedback.close());
  await log.append([
    { ...row(OTHER, 'jane'), answer: 'hers' },
    { ...row(OTHER, 'joe'), answer: 'his' },
  ]);
  const told = { at: clock.now, tenant: 'default', by: null, mayJudge: true };
  const clicked = (answer: string) => ({ kind: 'click', answer, document: 'd', position: 1 }) as const;
  const judged = (query: string) => ({ kind: 'judgement', service: SERVICE, query, document: 'd', grade: 1 }) as const;
  await feedback.add({ ...told, subject: hash('jane'), events: [clicked('hers'), judged(SECRET)] });
  await feedback.add({ ...told, subject: hash('joe'), events: [clicked('his'), judged(OTHER)] });
  expect(await run()).toMatchObject({ rows: 2 });
  const window = { service: SERVICE, from: 0, to: clock.now + 1 };
  expect((await feedback.received(window)).map(({ answer }) => answer)).toEqual(['his']);
  expect((await feedback.judgements(window)).map(({ query }) => query)).toEqual([OTHER]);
  expect(filesWith(home.home, 'Jane Doe')).toEqual([]);
});

test('who asked is kept as a hash that only this home can make', async () => {
  const [one, two] = [await askedHome(), await askedHome()];
  await one.log.append([one.row(OTHER, 'jane.doe@example.org')]);
  expect(filesWith(one.home, 'jane.doe')).toEqual([]);
  expect(one.hash('jane.doe@example.org')).not.toBe(two.hash('jane.doe@example.org'));
  expect(statSync(join(one.paths.keys, 'subjects.key')).mode & 0o777).toBe(0o600);
});

describe('evidence', () => {
  const evidenceOf = async (home: Awaited<ReturnType<typeof askedHome>>) => {
    const { artifacts, note, log, row, paths } = home;
    await log.append([row(SECRET, 'jane')]);
    const corpus = await artifacts.put(`{"_id":"d","text":"${SECRET}"}\n{"_id":"e","text":"other"}\n`);
    const train = await artifacts.putJson([{ id: 'q1', text: SECRET, judgements: { d: 1 } }]);
    const manifest = await artifacts.putJson({ corpus, train, trainQueries: 1 });
    const diagnosis = await artifacts.putJson({ corpus, worst: [{ text: 'Where does jane doe keep her passport?' }] });
    const verdict = await artifacts.putJson({ verdict: 'better', dataset: manifest });
    await note({
      kind: 'cycle ended',
      cycle: 'si_2026_11_01_001',
      body: { evidence: { diagnosis, manifest, verdict } },
    });
    const csv = join(paths.evidence, SERVICE, 'si_2026_11_01_001', 'augmented_dataset.csv');
    mkdirSync(dirname(csv), { recursive: true });
    writeFileSync(csv, `query,document\r\n"${SECRET}",d\r\n`);
    return { corpus, train, manifest, diagnosis, verdict, csv };
  };

  test('goes where it holds the text, in any format and spelling; a corpus and what holds none of it stay', async () => {
    const home = await askedHome();
    const { corpus, train, manifest, diagnosis, verdict, csv } = await evidenceOf(home);
    const report = await home.run();
    expect(report).toMatchObject({ rows: 1, files: 3 });
    expect([train, diagnosis].map(home.has)).toEqual([false, false]);
    expect([corpus, manifest, verdict].map(home.has)).toEqual([true, true, true]);
    expect(existsSync(csv)).toBe(false);
    expect(report.artifacts).toHaveLength(3);
    expect(report.artifacts).toEqual(expect.arrayContaining([train.sha256, diagnosis.sha256]));
  });

  test('the ledger verifies as before, and its row names digests and counts, neither of whom nor what', async () => {
    const home = await askedHome();
    await evidenceOf(home);
    const rows = await home.control.ledger({});
    const { artifacts, row } = await home.run();
    expect((await home.control.ledger({})).slice(0, rows.length)).toEqual(rows);
    expect((await auditStore({ control: home.control, key: null })).findings).toEqual([]);
    const [told] = await home.control.ledger({ kind: 'erased' });
    expect(told).toMatchObject({
      seq: row,
      reason: 'request 12',
      body: { artifacts, rows: 1, files: 3, by: 'subject' },
    });
    expect(JSON.stringify(told)).not.toMatch(/jane|passport/i);
    expect(JSON.stringify(told)).not.toContain(home.hash('jane'));
  });

  test('whoever asks for an erased artifact hears when it was erased, and by which row', async () => {
    const home = await askedHome();
    const { diagnosis } = await evidenceOf(home);
    const { row } = await home.run();
    await expect(home.artifacts.get(diagnosis)).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringMatching(new RegExp(`erased on \\d{4}-.* by row ${row} `)),
    });
    expect(await home.artifacts.has(diagnosis)).toBe(false);
  });

  test('what was erased is missed by nobody: gc goes on, and keeps the rest', async () => {
    const home = await askedHome();
    const { manifest } = await evidenceOf(home);
    await home.run();
    home.age(home.fileOf(manifest), 30);
    expect((await home.gc()).digests).toEqual([]);
  });

  test('a text of one word goes where somebody asked it, not where it stands in a vocabulary', async () => {
    const home = await askedHome();
    await home.log.append([home.row('passport', 'jane')]);
    const vocabulary = await home.artifacts.putJson({ terms: [{ term: 'passport', queries: 7 }] });
    const asked = await home.artifacts.putJson({ worst: [{ text: 'Passport' }] });
    await home.run();
    expect([vocabulary, asked].map(home.has)).toEqual([true, false]);
  });

  test('a variant stays, whatever its settings hold: it may serve', async () => {
    const home = await askedHome();
    const id = await home.addVariant({ synonyms: { text: ['read the files'] } });
    await home.log.append([home.row('read the files', 'jane')]);
    expect((await home.run()).files).toBe(0);
    expect(existsSync(home.fileOf({ sha256: id }))).toBe(true);
  });
});

test('by its text: every spelling of it, whoever asked; by a part: every text that holds it', async () => {
  const { log, row, left, run } = await askedHome();
  await log.append([
    row('Read the FILES!'),
    row('read the files', 'jane'),
    row('read the other files'),
    row('unrelated'),
  ]);
  await run({ wanted: { by: 'query text', text: 'read the files' } });
  expect(await left()).toEqual(['read the other files', 'unrelated']);
  await run({ wanted: { by: 'match', text: 'OTHER' } });
  expect(await left()).toEqual(['unrelated']);
});

test('a dry run shows the texts, and changes nothing', async () => {
  const home = await askedHome();
  await home.log.append([home.row(SECRET, 'jane')]);
  const diagnosis = await home.artifacts.putJson({ worst: [{ text: SECRET }] });
  expect(await home.run({ dryRun: true })).toMatchObject({ rows: 1, files: 1, texts: [SECRET], row: null });
  expect(home.has(diagnosis)).toBe(true);
  expect(await home.left()).toEqual([SECRET]);
  expect(await home.control.ledger({ kind: 'erased' })).toEqual([]);
});

test.each(['removing the evidence', 'emptying the log of served queries', 'looking again'])(
  'erasing that dies before %s is ended by repeating it, and nothing is gone without a row',
  async (moment) => {
    const home = await askedHome();
    await home.log.append([home.row(SECRET, 'jane')]);
    const diagnosis = await home.artifacts.putJson({ worst: [{ text: SECRET }] });
    await home.note({ body: { diagnosis } });
    const tell = (line: string) => {
      if (line === moment) throw new Error('died');
    };
    await expect(home.run({ tell })).rejects.toThrow('died');
    await home.run();
    expect(home.has(diagnosis)).toBe(false);
    expect(await home.left()).toEqual([]);
    expect(filesWith(home.home, 'Jane Doe')).toEqual([]);
    const rows = await home.control.ledger({ kind: 'erased' });
    expect(rows.flatMap(({ body }) => body.artifacts)).toContain(diagnosis.sha256);
  },
);

test('nobody is found: nothing is done, and no row says so', async () => {
  const home = await askedHome();
  await home.log.append([home.row(SECRET, 'jane')]);
  expect(await home.run({ subject: 'nobody' })).toMatchObject({ rows: 0, files: 0, row: null });
  expect(await home.control.ledger({ kind: 'erased' })).toEqual([]);
  expect(await home.left()).toEqual([SECRET]);
});

test('evidence that a cycle writes meanwhile is found by the second look', async () => {
  const home = await askedHome();
  await home.log.append([home.row(SECRET, 'jane')]);
  const text = JSON.stringify({ late: [{ text: SECRET }] });
  const sha256 = createHash('sha256').update(text).digest('hex');
  const tell = (line: string) => {
    if (line !== 'looking again') return;
    mkdirSync(dirname(home.fileOf({ sha256 })), { recursive: true });
    writeFileSync(home.fileOf({ sha256 }), text);
  };
  expect((await home.run({ tell })).artifacts).toEqual([sha256]);
  expect(existsSync(home.fileOf({ sha256 }))).toBe(false);
  expect(await home.control.ledger({ kind: 'erased' })).toHaveLength(2);
});

test("the team's own file that holds the text is named, and left to them", async () => {
  const home = await askedHome();
  await home.log.append([home.row('how to read the files here', 'jane')]);
  const { ownFiles } = await home.run();
  expect(ownFiles).toEqual([join(home.home, 'queries.jsonl')]);
  expect(existsSync(join(home.home, 'queries.jsonl'))).toBe(true);
});
