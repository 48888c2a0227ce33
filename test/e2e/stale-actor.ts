/**
 * Somebody in a home who comes too late, again and again: with tokens that held once, and with an old epoch or an old
 * promotion number beside a new one, as soon as anybody can know that they hold no more. It ends with its stdin. What it was
 * told of each try goes to stdout, as JSON.
 */
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { controlOf } from '../../adapters/control/of-environment.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import type { FencingToken, TrafficChange } from '../../contracts/traffic.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { readEnvironment } from '../../infra/setup/environment.ts';

const EVERY_MS = 40;

const [name = '', variant = ''] = process.argv.slice(2);
const control = controlOf(readEnvironment());
const seen: FencingToken[] = [];
let ended = false;
process.stdin.resume().once('end', () => {
  ended = true;
});

/** Neither number ever falls, so none of these holds again. */
const stale = ({ epoch, promotion }: FencingToken): readonly FencingToken[] =>
  [...seen.slice(-2), ...seen.slice(0, 1), { epoch: epoch - 1, promotion }, { epoch, promotion: promotion - 1 }].filter(
    (token) => Math.min(token.epoch, token.promotion) >= 0 && (token.epoch !== epoch || token.promotion !== promotion),
  );

/** The store may be busy: what was asked is asked again, and done once. */
const shift = async (change: TrafficChange): ReturnType<typeof control.shift> => {
  for (;;) {
    try {
      return await control.shift(change);
    } catch (error) {
      if (!(error instanceof PawlError) || !failures[error.type].retryable) throw error;
    }
  }
};

for (let n = 0; !ended; n++) {
  const { epoch = 0, promotion = 0 } = (await control.state(SERVICE)) ?? {};
  const last = seen.at(-1);
  if (last?.epoch !== epoch || last.promotion !== promotion) seen.push({ epoch, promotion });
  const tokens = stale({ epoch, promotion });
  const token = tokens[n % tokens.length];
  if (token) {
    const actor = { kind: 'drill', name };
    const change = { key: `${name}-${n}`, service: SERVICE, cycle: null, actor, reason: 'too late', token };
    const answer = await shift({ ...change, arms: [{ variant, share: 1 }], champion: variant });
    writeSync(1, `${JSON.stringify({ key: change.key, ...answer })}\n`);
  }
  await pause(EVERY_MS);
}
control.close();
