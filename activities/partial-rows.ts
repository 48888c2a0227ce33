/**
 * Rows of numbers for a long list of items, a part at a time, so that whoever takes the work up goes on where it was left.
 *
 * 1. A part is an artifact, and the next names it: a heartbeat carries the last one only, however long the list is.
 * 2. A part depends on its items alone, so work that was taken up by another worker ends with the bytes of an undisturbed one.
 * 3. A cursor of other work, or whose artifacts are gone, is not used.
 */
import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ArtifactRef } from '../contracts/artifact.ts';

export interface RowWork {
  /** Everything that the rows depend on, as one name. */
  readonly of: string;
  readonly items: number;
  readonly width: number;
  /** Rows of the items from … to. `tick` says that the work goes on. */
  rows(from: number, to: number, tick: () => void): Promise<Float32Array>;
}

/** Some seconds of work on a slow machine: what a worker that dies costs. */
const PART = 128;

const artifact = z.object({ uri: z.string(), sha256: z.string() });
const Cursor = z.object({ of: z.string(), done: z.int().min(0), last: artifact.nullable() });
export type Cursor = z.infer<typeof Cursor>;
const Part = z.object({ of: z.string(), from: z.int(), to: z.int(), rows: artifact, previous: artifact.nullable() });

/** Also the cursor of work that is done, for heartbeats of what comes after it. */
export async function rowsOf(artifacts: ArtifactStore, work: RowWork): Promise<{ rows: Float32Array; cursor: Cursor }> {
  const { of, items, width } = work;
  const context = Context.current();
  const all = new Float32Array(items * width);
  let cursor = await resumed(artifacts, work, Cursor.safeParse(context.info.heartbeatDetails).data, all);
  while (cursor.done < items) {
    context.cancellationSignal.throwIfAborted();
    const [from, to] = [cursor.done, Math.min(items, cursor.done + PART)];
    const before = cursor;
    const rows = await work.rows(from, to, () => context.heartbeat(before));
    all.set(rows, from * width);
    const part = { of, from, to, rows: await artifacts.put(bytesOf(rows)), previous: cursor.last };
    cursor = { of, done: to, last: await artifacts.putJson(part) };
    context.heartbeat(cursor);
  }
  return { rows: all, cursor };
}

/** Fills in what is there already. */
const resumed = async (
  artifacts: ArtifactStore,
  { of, items, width }: RowWork,
  left: Cursor | undefined,
  all: Float32Array,
): Promise<Cursor> => {
  const fresh: Cursor = { of, done: 0, last: null };
  if (!left || left.of !== of || left.done > items) return fresh;
  for (let at: ArtifactRef | null = left.last, end = left.done; at !== null; ) {
    if (!(await artifacts.has(at))) return fresh;
    const part = Part.parse(await artifacts.getJson(at));
    if (part.of !== of || part.to !== end || !(await artifacts.has(part.rows))) return fresh;
    all.set(floatsOf(await artifacts.get(part.rows)), part.from * width);
    at = part.previous;
    end = part.from;
  }
  return left;
};

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
/** A copy: what was read may begin anywhere in memory. */
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(new Uint8Array(bytes).buffer);
