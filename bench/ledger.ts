/**
 * What the hash chain costs: appends through the store's own transactions, on disk with synchronous=FULL, and an audit of a
 * long ledger. The peer does what the store did before there were hashes: the same answer and the same row, unhashed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ControlStore } from '../adapters/control/port.ts';
import { CONTROL_MIGRATIONS } from '../adapters/control/schema.ts';
import { sqliteControl } from '../adapters/control/sqlite.ts';
import { auditStore } from '../adapters/ledger/audit-store.ts';
import { proverOf } from '../adapters/ledger/proofs.ts';
import { readVkey } from '../adapters/ledger/signed-note.ts';
import { openDatabase } from '../adapters/sqlite/database.ts';
import type { LedgerEntry } from '../contracts/control.ts';
import type { TrafficChange } from '../contracts/traffic.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { median, percentile } from '../domain/percentile.ts';
import { atLeast, atMost, type Benchmark, explaining } from './benchmark.ts';

const ROWS = 100_000;
const AUDITS = 3;
const ROUNDS = 5;
const APPENDS = 400;

const actor = { kind: 'cycle', name: 'si_2026_11_21_001' };
const arms = ['a1', 'b2'].map((variant) => ({ variant, share: 0.5 }));
const state = {
  ...{ service: 'docs', latch: 'armed', because: 'vouched for', epoch: 3, promotion: 17 },
  ...{ champion: 'a1', gold: 'a1', arms },
};

/** As large as the row of a traffic change. */
const entry = (n: number): LedgerEntry => ({
  ...{ key: `note-${n}`, service: 'docs', cycle: actor.name, kind: 'stage', actor, reason: 'for the benchmark' },
  body: { outcome: 'done', token: { epoch: 3, promotion: 17 }, arms, before: state, state, n },
});

const armedStore = async (path: string): Promise<{ control: ControlStore; shift: (n: number) => TrafficChange }> => {
  const control = sqliteControl(path);
  const order = (key: string) => ({ key, service: 'docs', actor, reason: 'for the benchmark' });
  for (const id of ['a1', 'b2']) {
    const artifact = { uri: `artifact:sha256/${id}`, sha256: id };
    await control.addVariant({ id, service: 'docs', artifact, origin: 'bench', createdAt: new Date().toISOString() });
  }
  await control.register({ ...order('register'), champion: 'a1' });
  await control.setGold({ ...order('gold'), variant: 'a1' });
  await control.arm(order('arm'));
  await control.grant({ ...order('grant'), cycle: actor.name });
  const token = { epoch: 0, promotion: 1 };
  return { control, shift: (n) => ({ ...order(`shift-${n}`), cycle: actor.name, token, arms }) };
};

/** The transaction of a note as it was before there were hashes. */
const unhashedStore = (path: string) => {
  const { db, transaction, close } = openDatabase({
    path,
    migrations: CONTROL_MIGRATIONS.slice(0, 1),
    synchronous: 'FULL',
  });
  const find = db.prepare('SELECT asked, answer FROM answers WHERE key = ?');
  const answer = db.prepare('INSERT INTO answers (key, asked, answer) VALUES (?, ?, ?)');
  const row = db.prepare(
    'INSERT INTO ledger (at, service, cycle, kind, actor, reason, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const note = async ({ key, service, cycle, kind, actor: by, reason, body }: LedgerEntry): Promise<void> =>
    transaction(() => {
      const asked = canonicalJson(['note', { key, service, cycle, kind, actor: by, reason, body }]);
      if (find.get(key)) return;
      const at = new Date().toISOString();
      row.run(at, service, cycle, kind, JSON.stringify(by), reason, JSON.stringify({ ...body, key }));
      answer.run(key, asked, 'null');
    });
  return { note, close };
};

/** Microseconds for each. */
const timed = async (work: (n: number) => Promise<unknown>, from: number): Promise<number> => {
  const start = performance.now();
  for (let n = from; n < from + APPENDS; n += 1) await work(n);
  return ((performance.now() - start) * 1_000) / APPENDS;
};

export const ledger: Benchmark = {
  about: 'appends to the hashed ledger against unhashed ones, and the audit of 100,000 rows',
  run: async (progress) => {
    const folder = mkdtempSync(join(tmpdir(), 'pawl-bench-ledger-'));
    try {
      const { control, shift } = await armedStore(join(folder, 'control.db'));
      const peer = unhashedStore(join(folder, 'peer', 'control.db'));
      const [notes, shifts, peers]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < ROUNDS; round += 1) {
        progress(`appends, round ${round + 1} of ${ROUNDS}`);
        peers.push(await timed((n) => peer.note(entry(n)), round * APPENDS));
        notes.push(await timed((n) => control.note(entry(n)), round * APPENDS));
        shifts.push(await timed((n) => control.shift(shift(n)), round * APPENDS));
      }
      peer.close();

      progress(`filling up to ${ROWS} rows`);
      for (let n = ROUNDS * APPENDS; (await control.head()).size < ROWS; ) {
        const many = Math.min(1_000, ROWS - (await control.head()).size);
        await control.noteAll(Array.from({ length: many }, () => entry(n++)));
      }
      const late = await timed((n) => control.note(entry(n)), ROWS * 2);
      const audits: number[] = [];
      const cpu: number[] = [];
      for (let n = 0; n < AUDITS; n += 1) {
        progress(`audit ${n + 1} of ${AUDITS}`);
        const start = performance.now();
        const before = process.cpuUsage();
        const { findings, signature } = await auditStore({ control, key: readVkey((await control.ledgerKey()) ?? '') });
        audits.push((performance.now() - start) / 1_000);
        const { user, system } = process.cpuUsage(before);
        cpu.push((user + system) / 1_000_000);
        if (findings.length > 0 || signature !== 'good')
          throw new Error(`The audit found ${JSON.stringify(findings[0])}`);
      }
      const start = performance.now();
      const prover = await proverOf(control);
      const [row] = await control.ledger({ limit: 1 });
      if (row) prover.inclusion(row);
      const proof = performance.now() - start;
      control.close();

      const ratios = notes.map((note, round) => note / (peers[round] ?? note));
      const perSecond = (micros: readonly number[]): number => 1_000_000 / median(micros);
      return {
        figures: [
          atMost(5, explaining(`audit of ${ROWS} rows`, median(audits), 's', audits.length)),
          explaining('  its CPU time', median(cpu), 's', cpu.length),
          atLeast(1_000, explaining('notes appended', perSecond(notes), 'per s', ROUNDS * APPENDS)),
          atLeast(1_000, explaining('traffic changes', perSecond(shifts), 'per s', ROUNDS * APPENDS)),
          explaining(`notes appended after ${ROWS} rows`, 1_000_000 / late, 'per s', APPENDS),
          explaining('unhashed notes', perSecond(peers), 'per s', ROUNDS * APPENDS),
          explaining('hashed / unhashed note', median(ratios), '×', ROUNDS),
          explaining('  lowest round', percentile(ratios, 0), '×', ROUNDS),
          explaining('  highest round', percentile(ratios, 1), '×', ROUNDS),
          explaining('what the chain adds to a note', median(notes) - median(peers), 'µs', ROUNDS),
          explaining('first proof, tree and all', proof, 'ms', 1),
        ],
        versions: { node: process.versions.node, sqlite: process.versions.sqlite ?? '' },
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
