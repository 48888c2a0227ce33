/**
 * A lock file between processes. Plain JavaScript: the setup needs it before Node 24 is there.
 *
 * 1. Whoever creates the file holds the lock. Only the holder removes it, or one who has proved the holder dead.
 * 2. A holder on this machine is dead when its process is gone or its number belongs to a later process. A holder
 *    elsewhere (a shared cache folder) is dead when it has not touched the file for a minute.
 * 3. Proof and removal happen under a second file, so that two who find the same dead holder cannot remove each
 *    other's new lock.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** @typedef {{ id: string, pid: number, host: string, started: string | null }} Holder */

const LOOK_EVERY_MS = 200;
const TOUCH_EVERY_MS = 10_000;
const SILENT_AFTER_MS = 60_000;

/**
 * @template T
 * @param {string} file
 * @param {() => T | Promise<T>} work
 * @param {(holder: Holder) => void} [waiting] told each time that someone else is found to hold it
 * @returns {Promise<T>}
 */
export async function withLock(file, work, waiting = () => {}) {
  mkdirSync(dirname(file), { recursive: true });
  const mine = { id: randomUUID(), pid: process.pid, host: hostname(), started: startOf(process.pid) };
  while (!create(file, mine)) {
    if (isDead(file)) breakLock(file);
    else {
      const holder = read(file);
      if (holder) waiting(holder);
      await pause(LOOK_EVERY_MS);
    }
  }
  const touching = setInterval(() => touch(file), TOUCH_EVERY_MS);
  touching.unref();
  try {
    return await work();
  } finally {
    clearInterval(touching);
    if (read(file)?.id === mine.id) rmSync(file, { force: true });
  }
}

/** @param {string} file */
function breakLock(file) {
  const guard = `${file}.break`;
  try {
    writeFileSync(guard, '', { flag: 'wx' });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    // The guard is held for microseconds: one that is a minute old was left by a crash.
    if (silentFor(guard) > SILENT_AFTER_MS) rmSync(guard, { force: true });
    return;
  }
  try {
    if (isDead(file)) rmSync(file, { force: true });
  } finally {
    rmSync(guard, { force: true });
  }
}

/** @param {string} file */
function isDead(file) {
  const holder = read(file);
  // Unreadable: gone since, or just being written. Only a writer that crashed leaves it so for long.
  if (!holder || holder.host !== hostname()) return silentFor(file) > SILENT_AFTER_MS;
  const started = startOf(holder.pid);
  if (started !== null || holder.started !== null) return started !== holder.started;
  return !isAlive(holder.pid);
}

/**
 * When a process started, as Linux counts it; null where it is gone, a zombie, or there is no /proc.
 * @param {number} pid
 */
export function startOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? null : (rest[18] ?? null);
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** @param {string} file @param {Holder} holder */
function create(file, holder) {
  try {
    writeFileSync(file, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** @param {string} file @returns {Holder | null} */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** @param {string} file */
function silentFor(file) {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/** @param {string} file */
function touch(file) {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

/** @param {unknown} error @param {string} code */
function hasCode(error, code) {
  return error instanceof Error && 'code' in error && error.code === code;
}
