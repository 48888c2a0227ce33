/**
 * A process of its own that grants, moves traffic with new and with old tokens, kills and arms, as fast as it can. What it
 * was told of each order goes to stdout, as JSON.
 */
import { writeSync } from 'node:fs';
import { postgresControl } from '../../adapters/control/postgres.ts';
import { ledgerKeyFor } from '../../adapters/keys/ledger-key.ts';
import type { FencingToken, StateAnswer } from '../../contracts/traffic.ts';

const [address = '', database = '', name = '', rounds = ''] = process.argv.slice(2);
const store = postgresControl({ address, key: ledgerKeyFor(database) });
let count = 0;
const order = () => ({
  key: `${name}-${++count}`,
  service: 'docs',
  cycle: name,
  actor: { kind: 'cycle', name },
  reason: 'racing',
});
const tell = ({ key }: { key: string }, { outcome, state }: StateAnswer): void => {
  writeSync(1, `${JSON.stringify({ key, outcome, epoch: state?.epoch, promotion: state?.promotion })}\n`);
};
const arms = [
  { variant: 'a1', share: 0.5 },
  { variant: 'b2', share: 0.5 },
];

const held: FencingToken[] = [];
const shift = async (token: FencingToken): Promise<void> => {
  const change = { ...order(), token, arms };
  tell(change, await store.shift(change));
};
for (let round = 0; round < Number(rounds); round += 1) {
  const wanted = order();
  const answer = await store.grant(wanted);
  tell(wanted, answer);
  const { epoch = 0, promotion = 0 } = answer.state ?? {};
  held.push({ epoch, promotion });
  // Its own newest token, and one that it should have let go of: from this process and from far back.
  await Promise.all([...held.slice(-1), ...held.slice(-3, -2), ...held.slice(0, 1)].map(shift));
  if (round % 5 === 4) {
    const kill = order();
    tell(kill, await store.kill(kill));
    const arm = order();
    tell(arm, await store.arm(arm));
  }
}
store.close();
