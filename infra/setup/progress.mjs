/** Says what takes long: nothing for the first two seconds, then what it is, how long it has taken, and its last line. */
import { stripVTControlCharacters } from 'node:util';

const QUIET_MS = 2_000;
/** A terminal is redrawn every second; a log gets a line now and then. */
const REDRAW_MS = 1_000;
const LOG_EVERY_MS = 15_000;

/** @typedef {{ write(text: string): unknown, isTTY?: boolean, columns?: number }} Screen */

/**
 * @template T
 * @param {string} what
 * @param {(detail: (line: string) => void) => T | Promise<T>} work
 * @param {{ screen?: Screen, quietMs?: number }} [options]
 * @returns {Promise<T>}
 */
export async function withProgress(what, work, { screen = process.stderr, quietMs = QUIET_MS } = {}) {
  const start = Date.now();
  const elapsed = () => `${Math.round((Date.now() - start) / 1_000)} s`;
  let detail = '';
  let shown = false;
  const show = () => {
    shown = true;
    const line = `… ${what} · ${elapsed()}${detail ? ` · ${detail}` : ''}`;
    screen.write(screen.isTTY ? `\r\x1b[2K${line.slice(0, (screen.columns ?? 80) - 1)}` : `${line}\n`);
  };
  const end = (/** @type {string} */ mark) => {
    if (shown) screen.write(`${screen.isTTY ? '\r\x1b[2K' : ''}${mark} ${what} · ${elapsed()}\n`);
  };
  /** @type {NodeJS.Timeout} */
  let timer = setTimeout(() => {
    show();
    timer = setInterval(show, screen.isTTY ? REDRAW_MS : LOG_EVERY_MS);
  }, quietMs);
  try {
    const result = await work((line) => {
      detail = stripVTControlCharacters(line)
        .replaceAll(/[\s\p{Cc}]+/gu, ' ')
        .trim();
    });
    end('✓');
    return result;
  } catch (error) {
    end('✗');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
