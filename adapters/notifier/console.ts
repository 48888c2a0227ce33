import type { Notifier } from './port.ts';

const LONGEST = 1_000;

/** A line on the log of the worker. What people and stages wrote is in it: it cannot start a line of its own, or colour one. */
export const consoleNotifier = (write: (line: string) => void): Notifier => ({
  tell: async ({ type, text, command }) => {
    const line = `${type}  ${text}${command === undefined ? '' : `  (${command})`}`;
    write(line.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, LONGEST));
  },
});
