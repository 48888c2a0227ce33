/** Somebody who can write the store's file changes what happened; the audit says what they did, and to which row. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sqliteControl } from '../../adapters/control/sqlite.ts';
import { ledgerKeyPath } from '../../adapters/keys/ledger-key.ts';
import type { AuditReport, KnownHead } from '../../adapters/ledger/audit.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { readVkey } from '../../adapters/ledger/signed-note.ts';
import type { LedgerHead } from '../../contracts/ledger.ts';
import { type Attack, attack } from '../support/ledger-attack.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const entry = (n: number) => ({
  key: `note-${n}`,
  service: 'docs',
  cycle: n % 3 === 0 ? null : 'si_2026_11_21_001',
  kind: 'stage',
  actor: { kind: 'person', name: 'ada' },
  reason: `the ${n}th`,
  body: { took: n, outcome: 'done' },
});

interface Scene {
  readonly path: string;
  readonly vkey: string;
  readonly head: LedgerHead;
}

/** A ledger of so many rows, and the key that a person keeps of it. */
const ledgerOf = async (size: number, path = join(temporaryFolder(), 'control.db')): Promise<Scene> => {
  const store = sqliteControl(path);
  await store.noteAll(Array.from({ length: size }, (_, at) => entry(at + 1)));
  const [head, vkey] = [await store.head(), (await store.ledgerKey()) ?? ''];
  store.close();
  return { path, vkey, head };
};

const audited = async ({ path, vkey }: Scene, known: readonly KnownHead[] = []): Promise<AuditReport> => {
  const store = sqliteControl(path);
  try {
    return await auditStore({ control: store, key: readVkey(vkey), known });
  } finally {
    store.close();
  }
};

const saidOf = ({ findings }: AuditReport) =>
  findings.map(({ damage, seq, upTo }) => (upTo === seq ? [damage, seq] : [damage, seq, upTo]));

const auditAfter = async (
  deed: (on: Attack) => void,
  known?: readonly KnownHead[],
  size = 21,
): Promise<AuditReport> => {
  const scene = await ledgerOf(size);
  attack(scene.path, deed);
  return audited(scene, known);
};

test('a ledger that nobody touched holds, whatever its size, and so does each head that was noted on the way', async () => {
  const path = join(temporaryFolder(), 'control.db');
  const known: KnownHead[] = [];
  for (const size of [0, 1, 2, 3, 7, 8, 9, 21]) {
    const scene = await ledgerOf(size, path);
    known.push({ ...scene.head, from: `size ${size}` });
    const report = await audited(scene, known);
    expect(report).toMatchObject({ rows: size, signature: 'good', findings: [] });
    expect(report.known.map(({ holds }) => holds)).toEqual(known.map(() => true));
  }
});

describe('abuse 66: an edited row is found and named', () => {
  test.each([
    ['at', '2026-01-01T00:00:00.000Z'],
    ['service', 'shop'],
    ['cycle', null],
    ['kind', 'kill'],
    ['actor', '{"kind":"person","name":"eve"}'],
    ['reason', 'another'],
    ['body', '{"took":8}'],
    ['prev', 'a'.repeat(64)],
    ['hash', 'b'.repeat(64)],
  ])('its %s', async (column, value) => {
    const report = await auditAfter(({ run }) => run(`UPDATE ledger SET ${column} = ? WHERE seq = 7`, value));
    expect(saidOf(report).slice(0, 1)).toEqual([['edited', 7]]);
    if (column !== 'hash') expect(saidOf(report)).toHaveLength(1);
  });

  test('its number', async () => {
    const report = await auditAfter(({ run }) => run('UPDATE ledger SET seq = 99 WHERE seq = 7'));
    expect(saidOf(report)).toContainEqual(['missing', 7]);
    expect(saidOf(report)).toContainEqual(['forged', 22, 99]);
  });

  test('a body with a key twice, which two readers would understand in two ways', async () => {
    const report = await auditAfter(({ run, row }) => {
      const body = JSON.stringify(row(7).body).replace('{', '{"outcome":"refused",');
      run('UPDATE ledger SET body = ? WHERE seq = 7', body);
    });
    expect(saidOf(report)).toEqual([['edited', 7]]);
  });

  test('a row that can no longer be read', async () => {
    const report = await auditAfter(({ run }) => run(`UPDATE ledger SET actor = '[1]' WHERE seq = 7`));
    expect(saidOf(report)).toEqual([['edited', 7]]);
    expect(report.findings[0]?.because).toContain('cannot be read');
  });

  test('together with its hash', async () => {
    const report = await auditAfter(({ put, hashed, row }) => put(hashed({ ...row(7), reason: 'another' })));
    expect(saidOf(report)).toEqual([['edited', 7]]);
    expect(report.findings[0]?.because).toContain('row 8 says');
  });

  test('the last one together with its hash', async () => {
    const report = await auditAfter(({ put, hashed, row }) => put(hashed({ ...row(21), reason: 'another' })));
    expect(saidOf(report)).toEqual([['forged', 21]]);
  });

  test('together with its hash and the word of the row after it', async () => {
    const report = await auditAfter(({ put, hashed, row }) => {
      const edited = hashed({ ...row(7), reason: 'another' });
      put(edited);
      put({ ...row(8), prev: edited.hash });
    });
    expect(saidOf(report)).toContainEqual(['edited', 8]);
    expect(saidOf(report)).toContainEqual(['forged', 1, 16]);
  });
});

describe('abuse 66: rows that are not where they were', () => {
  test('one that was taken out is missing', async () => {
    expect(saidOf(await auditAfter(({ run }) => run('DELETE FROM ledger WHERE seq = 7')))).toEqual([['missing', 7]]);
  });

  test('several that were taken out are missing, the first one too', async () => {
    const report = await auditAfter(({ run }) => run('DELETE FROM ledger WHERE seq IN (1, 2, 7, 8, 9, 12)'));
    expect(saidOf(report)).toEqual([
      ['missing', 1, 2],
      ['missing', 7, 9],
      ['missing', 12],
    ]);
  });

  test('two that changed places are reordered, by their numbers or by what they say', async () => {
    const byNumber = await auditAfter(({ run }) => {
      run('UPDATE ledger SET seq = 99 WHERE seq = 7');
      run('UPDATE ledger SET seq = 7 WHERE seq = 12');
      run('UPDATE ledger SET seq = 12 WHERE seq = 99');
    });
    const byContent = await auditAfter(({ put, row }) => {
      const [a, b] = [row(7), row(12)];
      put({ ...b, seq: 7, prev: a.prev, hash: a.hash });
      put({ ...a, seq: 12, prev: b.prev, hash: b.hash });
    });
    for (const report of [byNumber, byContent]) {
      expect(saidOf(report)).toEqual([
        ['reordered', 7],
        ['reordered', 12],
      ]);
      expect(report.findings[0]?.because).toContain('row 12');
    }
  });

  test('a cut-off end is truncated, and stays so when the ledger goes on', async () => {
    const scene = await ledgerOf(21);
    attack(scene.path, ({ run }) => run('DELETE FROM ledger WHERE seq > 18'));
    expect(saidOf(await audited(scene))).toEqual([['truncated', 19, 21]]);
    const store = sqliteControl(scene.path);
    await store.note(entry(100));
    store.close();
    expect(saidOf(await audited(scene))).toEqual([['missing', 19, 21]]);
  });

  test('a cut-off end with the old head put back is found by a head that was noted elsewhere', async () => {
    const scene = await ledgerOf(18);
    const store = sqliteControl(scene.path);
    const older = await store.head();
    for (const n of [19, 20, 21]) await store.note(entry(n));
    const noted = { ...(await store.head()), from: "the guardian's history" };
    store.close();
    attack(scene.path, ({ run, rebuild }) => {
      run('DELETE FROM ledger WHERE seq > 18');
      rebuild('keeping the checkpoint');
      run('UPDATE ledger_head SET checkpoint = ?', older.checkpoint);
    });
    expect(await audited(scene)).toMatchObject({ signature: 'good', findings: [] });
    const report = await audited(scene, [noted]);
    expect(saidOf(report)).toEqual([['truncated', 19, 21]]);
    expect(report.findings[0]?.because).toContain("the guardian's history");
  });
});

describe('abuse 66: rows that Pawl never wrote', () => {
  const forged = ({ put, hashed, row }: Attack) =>
    put(hashed({ ...row(21), seq: 22, kind: 'decision', reason: 'ada said yes', prev: row(21).hash }));

  test('one that was put at the end, with a sound chain, is forged', async () => {
    expect(saidOf(await auditAfter(forged))).toEqual([['forged', 22]]);
  });

  test('one that is in the head, too, but not in its checkpoint', async () => {
    const report = await auditAfter((on) => {
      forged(on);
      on.rebuild('keeping the checkpoint');
    });
    expect(saidOf(report)).toEqual([
      ['head', null],
      ['forged', 22],
    ]);
  });

  test('one that is in a checkpoint of another key', async () => {
    const report = await auditAfter((on) => {
      forged(on);
      on.rebuild('with a key of their own');
    });
    expect(report.signature).toBe('of another key');
    expect(saidOf(report)).toEqual([['head', null]]);
    expect(report.findings[0]?.because).toContain('made anew');
  });

  test('a checkpoint that was changed under its signature', async () => {
    const report = await auditAfter(({ run }) =>
      run(
        `UPDATE ledger_head SET checkpoint = replace(checkpoint, char(10) || '21' || char(10), char(10) || '20' || char(10))`,
      ),
    );
    expect(report.signature).toBe('false');
    expect(saidOf(report)[0]).toEqual(['head', null]);
  });

  test('a history that was made anew from one row on is found between the places where it still agrees', async () => {
    const known: KnownHead[] = [];
    const scene = await ledgerOf(10);
    known.push({ ...scene.head, from: 'an export' });
    await ledgerOf(21, scene.path);
    attack(scene.path, ({ run, rebuild }) => {
      run(`UPDATE ledger SET reason = 'another' WHERE seq = 13`);
      rebuild('keeping the checkpoint');
    });
    // Its own peaks were made anew, so they say nothing; the head that was noted says that 1 to 10 are as they were.
    expect(saidOf(await audited(scene, known))).toContainEqual(['forged', 11, 21]);
  });

  test('a chain that was made anew under an untouched head is found by the peaks of the head', async () => {
    const report = await auditAfter(({ row, put, hashed }) => {
      let { prev } = row(18);
      for (let seq = 18; seq <= 21; seq += 1) {
        const made = hashed({ ...row(seq), reason: `another ${seq}`, prev });
        put(made);
        prev = made.hash;
      }
    });
    expect(saidOf(report)).toEqual([['forged', 17, 20]]);
  });

  test('a whole history with a key of its own is not the ledger whose key was pinned', async () => {
    const [real, other] = [await ledgerOf(9), await ledgerOf(12)];
    const report = await audited({ ...other, vkey: real.vkey }, [{ ...real.head, from: 'an export' }]);
    expect(report.signature).toBe('of another key');
    expect(saidOf(report)).toEqual([
      ['head', null],
      ['forged', 1, 9],
    ]);
  });
});

describe('without its key', () => {
  test('a store goes on, can kill, tells of the new key, and the pinned key no longer fits', async () => {
    const scene = await ledgerOf(5);
    rmSync(ledgerKeyPath(scene.path));
    const store = sqliteControl(scene.path);
    const order = { key: 'kill', actor: { kind: 'person', name: 'ada' }, reason: 'smoke' };
    expect(await store.killAll(order)).toEqual({ services: [] });
    const rows = await store.ledger({ afterSeq: 5 });
    expect(rows.map(({ kind }) => kind)).toEqual(['ledger key changed', 'kill all']);
    const now = (await store.ledgerKey()) ?? '';
    expect(rows[0]?.body).toEqual({ before: scene.vkey, after: now });
    store.close();

    const report = await audited(scene);
    expect(report.signature).toBe('of another key');
    expect(report.findings).toMatchObject([{ damage: 'head', because: expect.stringContaining('row 6') }]);
    expect(await audited({ ...scene, vkey: now })).toMatchObject({ signature: 'good', findings: [] });
  });

  test('a key that cannot be read leaves the head unsigned, and nothing else undone', async () => {
    const { path, vkey } = await ledgerOf(5);
    writeFileSync(ledgerKeyPath(path), 'no key at all');
    const store = sqliteControl(path);
    await store.killAll({ key: 'kill', actor: { kind: 'person', name: 'ada' }, reason: 'smoke' });
    store.close();
    const report = await audited({ path, vkey, head: { size: 0, root: '', checkpoint: '' } });
    expect(report).toMatchObject({ rows: 6, signature: 'none', findings: [{ damage: 'head' }] });
  });
});
