/** A report as a person reads it. */
import type { Report } from './check.ts';

const count = (n: number, what: string): string => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : 's'}`;

export const summaryOf = ({ rules, rows, cycles, violations }: Report): string =>
  `${count(rules, 'rule')} over ${count(rows, 'row')}, ${count(cycles, 'cycle')}, ${count(violations.length, 'violation')}`;

export const linesOf = ({ violations, notApplicable, running }: Report): string[] =>
  [
    ...violations.map(
      ({ rule, service, seq, what }) => `✗ ${service}${seq === null ? '' : `, row ${seq}`}: ${what} (${rule})`,
    ),
    ...notApplicable.map(({ rule, because }) => `– not applicable: ${rule} (${because})`),
    ...running.map((cycle) => `… running, not counted: ${cycle}`),
  ].map(printable);

/** What a ledger quotes may hold anything, and a terminal would obey some of it. */
const printable = (line: string): string => line.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]+/gu, ' ');
