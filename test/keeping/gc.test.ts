import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { indexKey, recipeOf } from '../../adapters/lexical/recipe.ts';
import { DEFAULT_SETTINGS } from '../../adapters/lexical/variant.ts';
import { readCorpus } from '../../adapters/service/data.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { DAY, keptHome, SERVICE } from './home.ts';

const admitted = { service: SERVICE, cycle: 'si_2026_11_01_001', kind: 'cycle admitted' };
const ended = { ...admitted, kind: 'cycle ended' };

test('what the card of a registered model names stays, as long as the model is registered', async () => {
  const home = await keptHome();
  const weights = await home.old({ weights: [1, 2] });
  const train = await home.old({ examples: 3 });
  const card = await home.old({ kind: 'adapter', files: { 'adapter_model.safetensors': weights }, data: { train } });
  const orphan = await home.old({ orphan: true });
  const model = { kind: 'adapter', name: 'docs-1', service: SERVICE, base: 'b'.repeat(64), card } as const;
  const actor = { kind: 'worker', name: 'train' };
  const createdAt = new Date(home.clock.now).toISOString();
  await home.control.addModel({ model: { ...model, id: card.sha256, createdAt }, actor, reason: 'trained' });
  expect((await home.gc()).digests).toEqual([orphan.sha256]);
  expect([card, weights, train].map(home.has)).toEqual([true, true, true]);
});

describe('what goes', () => {
  test('an old artifact that nothing names goes, and the ledger tells its digest, the count and the bytes', async () => {
    const home = await keptHome();
    const orphan = await home.old({ orphan: true });
    const report = await home.gc();
    expect(report).toMatchObject({ artifacts: { files: 1, bytes: 15 }, digests: [orphan.sha256] });
    expect(home.has(orphan)).toBe(false);
    const [row] = await home.control.ledger({ kind: 'gc' });
    expect(row).toMatchObject({ actor: { name: 'ada' }, body: { digests: [orphan.sha256], artifacts: { files: 1 } } });
  });

  test('a dry run says the same, removes nothing and leaves no row', async () => {
    const home = await keptHome();
    const orphan = await home.old({ orphan: true });
    const dry = await home.gc({ dryRun: true });
    expect(home.has(orphan)).toBe(true);
    expect(await home.control.ledger({ kind: 'gc' })).toEqual([]);
    expect({ ...(await home.gc()), dryRun: true }).toEqual(dry);
  });

  test('a second run finds nothing, and writes no row about it', async () => {
    const home = await keptHome();
    await home.old({ orphan: true });
    await home.gc();
    expect(await home.gc()).toMatchObject({ artifacts: { files: 0 }, digests: [] });
    expect(await home.control.ledger({ kind: 'gc' })).toHaveLength(1);
  });

  test('files that a writer left half-written go when they are old', async () => {
    const home = await keptHome();
    const left = ['.a.tmp', '.b.tmp'].map((name) =>
      join(home.paths.artifacts, 'sha256', home.champion.slice(0, 2), name),
    );
    for (const path of left) writeFileSync(path, 'half');
    home.age(left[0] ?? '', 30);
    expect((await home.gc()).halfWritten.files).toBe(1);
    expect(left.map((path) => existsSync(path))).toEqual([false, true]);
  });

  test('an index goes when no variant would open it over the corpus as it is now', async () => {
    const home = await keptHome();
    const config = await servicesOf(home.home, null).config(SERVICE);
    const { sha256 } = await readCorpus(config);
    const used = home.index(`${indexKey(sha256, recipeOf(DEFAULT_SETTINGS))}.db`);
    const otherRecipe = home.index(`${indexKey(sha256, recipeOf({ stemming: true, splitIdentifiers: false }))}.db`);
    const otherCorpus = home.index(`${indexKey('0'.repeat(64), recipeOf(DEFAULT_SETTINGS))}.db`);
    const young = home.index(`${indexKey('1'.repeat(64), recipeOf(DEFAULT_SETTINGS))}.db`, 1);
    expect((await home.gc()).indexes.files).toBe(2);
    expect([used, otherRecipe, otherCorpus, young].map((path) => existsSync(path))).toEqual([true, false, false, true]);
    await home.addVariant({ stemming: true });
    home.index(`${indexKey(sha256, recipeOf({ stemming: true, splitIdentifiers: false }))}.db`);
    expect((await home.gc()).indexes.files).toBe(0);
  });

  test('a list of many digests is an artifact, which the row names and the next run keeps', async () => {
    const home = await keptHome();
    for (let n = 0; n < 201; n++) await home.old({ orphan: n });
    const { digests } = await home.gc();
    const [row] = await home.control.ledger({ kind: 'gc' });
    const list = row?.body.list as { uri: string; sha256: string };
    expect(await home.artifacts.getJson(list)).toEqual(digests);
    home.age(home.fileOf(list), 30);
    expect((await home.gc()).digests).toEqual([]);
    expect(home.has(list)).toBe(true);
  });

  test('what a run removed and somebody put again may go again: the row that tells of it keeps nothing', async () => {
    const home = await keptHome();
    await home.old({ orphan: true });
    await home.gc();
    await home.old({ orphan: true });
    expect((await home.gc()).artifacts.files).toBe(1);
  });
});

describe('what stays', () => {
  test('whatever a row of the ledger names, and what that names in turn', async () => {
    const home = await keptHome();
    const corpus = await home.old('the corpus');
    const manifest = await home.old({ corpus, train: 1 });
    const evidence = await home.old({ stage: 'augment', dataset: manifest });
    await home.note({ body: { evidence } });
    expect((await home.gc()).artifacts.files).toBe(0);
    expect([corpus, manifest, evidence].map(home.has)).toEqual([true, true, true]);
  });

  test('gold, champion and every registered variant', async () => {
    const home = await keptHome();
    const other = await home.addVariant({ stemming: true });
    for (const sha256 of [home.champion, other]) home.age(home.fileOf({ sha256 }), 365);
    expect((await home.gc()).artifacts.files).toBe(0);
  });

  test('what a row names by its digest alone, and what a signed envelope carries', async () => {
    const home = await keptHome();
    const [bare, carried] = [await home.old('bare'), await home.old('carried')];
    const statement = JSON.stringify({ subject: [{ name: 'a.json', digest: { sha256: carried.sha256 } }] });
    const payload = Buffer.from(statement).toString('base64');
    const envelope = await home.old({ payloadType: 'application/vnd.in-toto+json', payload, signatures: [] });
    await home.note({ body: { approved: bare.sha256, statement: envelope } });
    expect((await home.gc()).artifacts.files).toBe(0);
    expect([bare, carried, envelope].map(home.has)).toEqual([true, true, true]);
  });

  test('what is younger than the safe age', async () => {
    const home = await keptHome();
    const [young, old] = [await home.old({ young: 1 }, 6), await home.old({ old: 1 }, 8)];
    expect(await home.gc()).toMatchObject({ tooYoung: 1 });
    expect([young, old].map(home.has)).toEqual([true, false]);
  });

  test('what is younger than the oldest cycle that has not ended: only its history names it yet', async () => {
    const home = await keptHome();
    home.clock.now -= 20 * DAY;
    await home.note(admitted);
    home.clock.now += 20 * DAY;
    const [before, after] = [await home.old({ before: 1 }, 21), await home.old({ after: 1 }, 19)];
    await home.gc();
    expect([before, after].map(home.has)).toEqual([false, true]);
    await home.note(ended);
    await home.gc();
    expect(home.has(after)).toBe(false);
  });
});

describe('missing data never passes: nothing is removed', () => {
  const refused = async (break_: (home: Awaited<ReturnType<typeof keptHome>>) => unknown, type: string) => {
    const home = await keptHome();
    const orphan = await home.old({ orphan: true });
    await break_(home);
    await expect(home.gc()).rejects.toMatchObject({ type, hint: expect.any(String) });
    expect(home.has(orphan)).toBe(true);
  };

  test('when an artifact that the ledger names is missing', () =>
    refused(async (home) => {
      const named = await home.old({ named: true });
      await home.note({ body: { evidence: named } });
      rmSync(home.fileOf(named));
    }, 'NotFound'));

  test('when an artifact that the ledger names is damaged', () =>
    refused(async (home) => {
      const named = await home.old({ named: true });
      await home.note({ body: { evidence: named } });
      writeFileSync(home.fileOf(named), '{"named":false}');
    }, 'DigestMismatch'));

  test('when the ledger cannot be read', () =>
    refused(async ({ paths, control }) => {
      control.close();
      rmSync(`${paths.control}-wal`, { force: true });
      writeFileSync(paths.control, 'no database, and long enough to be looked at by one'.repeat(100));
    }, 'Unavailable'));

  test('when a row of the ledger is missing', () =>
    refused(({ paths }) => {
      const other = new DatabaseSync(paths.control);
      other.exec('DROP TRIGGER ledger_keeps_rows; DELETE FROM ledger WHERE seq = 2');
      other.close();
    }, 'Refused'));

  test('when the store is a new one that knows no service', async () => {
    const home = await keptHome();
    const other = await keptHome();
    const orphan = await home.old({ orphan: true });
    const db = new DatabaseSync(other.paths.control);
    db.exec('DELETE FROM services');
    db.close();
    const paths = { ...home.paths, control: other.paths.control };
    const { gc } = await import('../../adapters/keeping/gc.ts');
    const order = { olderThanMs: DAY, dryRun: false, actor: { kind: 'person', name: 'ada' }, reason: 'a test' };
    const deps = { paths, control: other.control, artifacts: home.artifacts, services: [], now: Date.now };
    await expect(gc(deps, order)).rejects.toMatchObject({ type: 'Refused' });
    expect(home.has(orphan)).toBe(true);
  });

  test('when the corpus of a service cannot be read', () =>
    refused(({ home }) => rmSync(join(home, 'corpus.jsonl')), 'ConfigInvalid'));

  test('when the row of the ledger cannot be written', () =>
    refused(({ control }) => {
      control.note = async () => {
        throw Object.assign(new Error('disk full'), { type: 'DiskFull', hint: 'make room' });
      };
    }, 'DiskFull'));
});

describe('rows of the store', () => {
  const tables = ({ paths }: { paths: { control: string } }) => {
    const db = new DatabaseSync(paths.control, { readOnly: true });
    const count = (table: string) => Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
    const found = { answers: count('answers'), nonces: count('nonces') };
    db.close();
    return found;
  };
  const byCycle = { ...ended, actor: { kind: 'cycle', name: 'si_2026_11_01_001' } };

  test('an answer goes when it is older than every possible repetition, a nonce when its token has expired', async () => {
    const home = await keptHome();
    const db = new DatabaseSync(home.paths.control);
    db.prepare('INSERT INTO nonces VALUES (?, ?, ?)').run('a', 'a', new Date(home.clock.now).toISOString());
    db.close();
    const before = tables(home);
    home.clock.now += 40 * DAY;
    await home.note(byCycle);
    expect((await home.gc()).rows).toEqual({ answers: before.answers, nonces: 1 });
    expect(tables(home)).toEqual({ answers: 2, nonces: 0 }); // That of the cycle's row, and that of gc's own.
  });

  test('time in which no worker ran makes no answer old: its activity may still be repeated', async () => {
    const home = await keptHome();
    await home.note(byCycle);
    home.clock.now += 40 * DAY;
    await home.note({ actor: { kind: 'person', name: 'ada' } });
    expect((await home.gc()).rows.answers).toBe(0);
  });

  test('no answer goes that is younger than a cycle which has not ended', async () => {
    const home = await keptHome();
    home.clock.now += DAY;
    await home.note(admitted);
    const { answers } = tables(home);
    home.clock.now += 60 * DAY;
    await home.note({ ...byCycle, kind: 'learned' });
    expect((await home.gc()).rows.answers).toBe(answers - 1); // All from before the admission.
  });
});

test('two at once: the second one is told who is at work', async () => {
  const home = await keptHome();
  await home.old({ orphan: true });
  const meanwhile = async () => {
    await expect(home.gc()).rejects.toMatchObject({
      type: 'Refused',
      message: expect.stringContaining(`${process.pid}`),
    });
  };
  expect((await home.gc({ meanwhile })).artifacts.files).toBe(1);
  expect(readdirSync(join(home.paths.artifacts, '.trash'))).toEqual([]);
});
