/**
 * `npm start`: a real search service loses quality through a real shift. One cycle repairs it, one finds nothing better,
 * one is killed in the middle. With `--once` it ends by itself, with exit code 0 only if every step held; otherwise
 * everything stays up until Ctrl-C.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { failures, PawlError } from '../../contracts/failures.ts';
import { environmentAt } from '../setup/environment.ts';
import { runUp } from '../up/up.ts';
import { makeHome } from './home.ts';
import { pawlOf } from './pawl-command.ts';
import { play, prepare } from './play.ts';
import { Teller } from './tell.ts';

const tellStory = async (once: boolean): Promise<void> => {
  const home = resolve('.pawl', 'story');
  // The story plays in a home of its own: the store of somebody's real services is none of its business.
  const { secrets: given, ...own } = environmentAt(home);
  const { PAWL_STORE: _, ...secrets } = given;
  const environment = { ...own, secrets, store: null };
  const teller = new Teller(environment.colour);
  const stop = new AbortController();
  const stopped = new Promise<void>((done) => stop.signal.addEventListener('abort', () => done(), { once: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

  makeHome(home);
  const pawl = pawlOf(home, { ...environment.variables, ...environment.secrets });
  const before = await prepare({ teller, pawl, home });
  let held = false;
  teller.chapter('Everything that runs');
  await runUp({
    environment,
    gateway: { host: '127.0.0.1', port: 8787 },
    signal: stop.signal,
    whileUp: async (up) => {
      await play({ teller, pawl, home, before, up });
      held = true;
      if (once) return;
      teller.line('\n  Everything stays up until Ctrl-C.');
      await stopped;
    },
  });
  if (!held) throw new PawlError('Unhealthy', 'The story was stopped before its end.');
};

try {
  const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
  await tellStory(values.once);
} catch (error) {
  const { type, message, hint } = error instanceof PawlError ? error : new PawlError('Internal', String(error));
  process.stderr.write(`\n✗ ${message}\n${hint === undefined ? '' : `  ${hint}\n`}`);
  process.exitCode = failures[type].exitCode;
}
