/** Starts children after those that they need, keeps them alive, and stops them in the opposite order. */
import { mkdirSync } from 'node:fs';
import { PawlError } from '../../contracts/failures.ts';
import { Child, type ChildEvent, type ChildSpec } from './child.ts';
import { DEFAULT_RULE, type RestartRule } from './restarts.ts';

export interface SupervisorOptions {
  /** Folder of the children's log files. */
  readonly logs: string;
  readonly rule?: RestartRule;
  readonly tell?: (event: ChildEvent) => void;
}

export class Supervisor {
  readonly #levels: ReadonlyArray<readonly Child[]>;
  #stopped: Promise<void> | null = null;

  constructor(specs: readonly ChildSpec[], { logs, rule = DEFAULT_RULE, tell = () => {} }: SupervisorOptions) {
    mkdirSync(logs, { recursive: true });
    this.#levels = levelsOf(specs).map((level) => level.map((spec) => new Child(spec, { logs, rule, tell })));
  }

  /** Process numbers of those that run now. */
  get pids(): Record<string, number> {
    const running = this.#levels.flat().flatMap(({ spec, pid }) => (pid === null ? [] : [[spec.name, pid] as const]));
    return Object.fromEntries(running);
  }

  /** Returns when all serve. When one cannot, those that were started are stopped again. */
  async start(): Promise<void> {
    try {
      for (const level of this.#levels) {
        if (this.#stopped) break;
        await Promise.all(level.map((child) => child.start()));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Repeating it changes nothing. */
  stop(): Promise<void> {
    this.#stopped ??= (async () => {
      for (const level of this.#levels.toReversed()) await Promise.all(level.map((child) => child.stop()));
    })();
    return this.#stopped;
  }
}

/** Each level needs only what stands in the levels before it. */
export function levelsOf(specs: readonly ChildSpec[]): ChildSpec[][] {
  const levels: ChildSpec[][] = [];
  const placed = new Set<string>();
  let left = [...specs];
  while (left.length > 0) {
    const level = left.filter(({ after }) => after.every((name) => placed.has(name)));
    if (level.length === 0) {
      const names = left.map(({ name, after }) => `${name} (after ${after.join(', ')})`);
      throw new PawlError(
        'Internal',
        `These children wait for each other, or for one that is not there: ${names.join('; ')}.`,
      );
    }
    levels.push(level);
    for (const { name } of level) placed.add(name);
    left = left.filter((spec) => !level.includes(spec));
  }
  return levels;
}
