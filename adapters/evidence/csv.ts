/**
 * CSV (RFC 4180) that a spreadsheet reads as data. A text that begins like a formula would be run by whoever opens the file,
 * so it gets an apostrophe before it; numbers stay numbers.
 */
const FORMULA = /^[=+\-@\t\r\n]/;

export const csv = (rows: ReadonlyArray<ReadonlyArray<string | number>>): string =>
  rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');

const cell = (value: string | number): string => {
  if (typeof value === 'number') return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return text !== value || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
