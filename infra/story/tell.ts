/** How the story is told in a terminal: chapters, commands, stages as they happen, and a table at the end. */
import { styleText } from 'node:util';
import type { CycleEnd, StageReport } from '../../contracts/messages.ts';
import { withProgress } from '../setup/progress.mjs';

type Style = Parameters<typeof styleText>[0];

export class Teller {
  readonly #colour: boolean;
  readonly #startedAt = Date.now();

  constructor(colour: boolean) {
    this.#colour = colour && process.stdout.isTTY;
  }

  chapter(title: string): void {
    this.line('');
    this.line(`${this.#style('bold', title)} ${this.#style('dim', `(${this.#elapsed()})`)}`);
  }

  command(typed: string): void {
    this.line(this.#style('cyan', `  $ ${typed}`));
  }

  say(text: string): void {
    this.line(`  ${text}`);
  }

  link(what: string, url: string): void {
    this.line(this.#style('dim', `  ${what}: ${url}`));
  }

  stage({ stage, state, startedAt, endedAt, summary }: StageReport): void {
    if (endedAt === null && state !== 'waiting') return;
    const took = endedAt === null ? '' : `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(1)} s`;
    const mark =
      state === 'failed'
        ? this.#style('red', '✗')
        : state === 'waiting'
          ? this.#style('yellow', '?')
          : this.#style('green', '✓');
    this.line(`    ${mark} ${stage.padEnd(9)} ${took.padStart(7)}  ${summary ?? 'waits for a person'}`);
  }

  end(cycle: string, { outcome, because }: CycleEnd): void {
    this.line(`    ${this.#style('bold', `${cycle} ${outcome}`)}: ${because}`);
  }

  working<T>(what: string, work: (detail: (line: string) => void) => Promise<T>): Promise<T> {
    return withProgress(`  ${what}`, work, { screen: process.stdout });
  }

  table(rows: ReadonlyArray<readonly [name: string, value: string]>): void {
    const width = Math.max(...rows.map(([name]) => name.length));
    for (const [name, value] of rows) this.line(`  ${name.padEnd(width)}  ${value}`);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  #elapsed(): string {
    return `${Math.round((Date.now() - this.#startedAt) / 1000)} s`;
  }

  #style(style: Style, text: string): string {
    return this.#colour ? styleText(style, text, { validateStream: false }) : text;
  }
}
