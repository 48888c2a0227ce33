import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const KEPT_LINES = 40;

/** @typedef {{ code: number | null, failed: string | null, output: string }} Ended `failed` is a sentence, null on success; `output` the last lines of both streams */

/**
 * Runs a program to its end; never throws for what the program does.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number, shell?: boolean, signal?: AbortSignal, onLine?: (line: string) => void }} [options]
 * @returns {Promise<Ended>}
 */
export function runCommand(program, args, { timeoutMs, onLine, ...options } = {}) {
  return new Promise((resolve) => {
    /** @type {string[]} */
    const lines = [];
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], killSignal: 'SIGKILL' });
    let timedOut = false;
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => (timedOut = child.kill('SIGKILL')), timeoutMs);
    /** @type {Error | undefined} */
    let problem;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (lines.push(line) > KEPT_LINES) lines.shift();
        if (line.trim()) onLine?.(line);
      });
    }
    child.on('error', (error) => (problem = error));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({
        code,
        failed: failure(program, problem, { code, signal, timedOut, timeoutMs }),
        output: lines.join('\n'),
      });
    });
  });
}

/**
 * @param {string} program
 * @param {Error & { code?: unknown } | undefined} problem
 * @param {{ code: number | null, signal: string | null, timedOut: boolean, timeoutMs: number | undefined }} end
 */
function failure(program, problem, { code, signal, timedOut, timeoutMs = 0 }) {
  if (timedOut) return `${program} gave no answer within ${timeoutMs / 1_000} s`;
  if (problem?.code === 'ENOENT') return `${program} is not installed, or not on PATH`;
  if (problem?.code === 'EACCES') return `${program} is not executable`;
  if (problem) return `${program} could not run: ${problem.message}`;
  if (signal) return `${program} was ended by ${signal}`;
  return code === 0 ? null : `${program} ended with exit code ${code}`;
}
