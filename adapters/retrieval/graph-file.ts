/**
 * The graph of a space, kept beside the database so that it need not be made anew.
 *
 * 1. A file is whole or not used: it is written under another name, flushed and renamed, and carries a digest of itself.
 * 2. It is never trusted for what is in the index: a node whose vector is not the one that the database holds under its key
 *    is a way to others at most. Where too many are such, or anything is odd, the graph is made anew.
 */
import { createHash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NOTHING, type VectorMemory } from '../../ml/retrieval/vector-memory.ts';
import type { Entry } from './nearest.ts';
import { GRAPH_SETTINGS, type KeptGraph } from './space-graph.ts';

const VERSION = 1;
const DIGEST_BYTES = 32;
const LENGTH_BYTES = 4;
const MOST_LOST = 0.1;

const header = z.strictObject({
  version: z.literal(VERSION),
  settings: z.strictObject({
    links: z.literal(GRAPH_SETTINGS.links),
    breadth: z.literal(GRAPH_SETTINGS.breadth),
    seed: z.literal(GRAPH_SETTINGS.seed),
  }),
  tried: z.strictObject({ breadth: z.int().positive().nullable(), nodes: z.int().nonnegative() }),
  nodes: z.int().nonnegative(),
  /** Numbers in the table of the levels above. */
  above: z.int().nonnegative(),
});

export const graphPath = (folder: string, tenant: number): string => join(folder, `tenant-${tenant}.graph`);

export function keepGraph(path: string, { nodes, tables, tried }: KeptGraph, memory: VectorMemory): void {
  const head = { version: VERSION, settings: GRAPH_SETTINGS, tried, nodes: nodes.length, above: tables.above.length };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(text.length);
  const parts = [
    ...[length, text],
    bytesOf(Float64Array.from(nodes, ({ key }) => key)),
    bytesOf(Uint32Array.from(nodes, ({ slot }) => memory.fingerprint(slot))),
    ...[bytesOf(tables.levels), bytesOf(tables.lowest), bytesOf(tables.above)],
  ];
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);

  const writing = `${path}.${randomUUID()}.tmp`;
  try {
    const file = openSync(writing, 'wx');
    try {
      for (const part of [digest.digest(), ...parts]) writeFileSync(file, part);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(writing, path);
  } finally {
    rmSync(writing, { force: true });
  }
}

/** null where there is none that can be used. */
export function keptGraph(
  path: string,
  entryOf: (key: number) => Entry | undefined,
  memory: VectorMemory,
): KeptGraph | null {
  const bytes = contentOf(path);
  if (bytes === null) return null;
  const start = LENGTH_BYTES + bytes.readUInt32LE(0);
  const { data: head } = header.safeParse(JSON.parse(bytes.toString('utf8', LENGTH_BYTES, start)));
  if (head === undefined) return null;
  const { nodes: count, above, tried } = head;
  // Copied, because tables of larger numbers cannot begin anywhere.
  let at = start;
  const take = (length: number): ArrayBuffer => {
    const { buffer, byteOffset } = bytes.subarray(at, at + length);
    at += length;
    return (buffer as ArrayBuffer).slice(byteOffset, byteOffset + length);
  };
  const keys = new Float64Array(take(8 * count));
  const fingerprints = new Uint32Array(take(4 * count));
  const levels = new Uint8Array(take(count));
  const lowest = new Int32Array(take(4 * count * (1 + 2 * GRAPH_SETTINGS.links)));
  const tables = { levels, lowest, above: new Int32Array(take(4 * above)) };

  let lost = 0;
  const nodes = Array.from(keys, (key, node): Entry => {
    const entry = entryOf(key);
    if (entry !== undefined && memory.fingerprint(entry.slot) === fingerprints[node]) return entry;
    lost++;
    return { key, document: { id: '', metadata: {} }, slot: NOTHING, alive: false };
  });
  return lost > MOST_LOST * count ? null : { nodes, tables, tried };
}

function contentOf(path: string): Buffer | null {
  try {
    const bytes = readFileSync(path);
    const content = bytes.subarray(DIGEST_BYTES);
    const digest = createHash('sha256').update(content).digest();
    return content.length > LENGTH_BYTES && digest.equals(bytes.subarray(0, DIGEST_BYTES)) ? content : null;
  } catch {
    return null; // Whatever the disk says, it can be made anew.
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
