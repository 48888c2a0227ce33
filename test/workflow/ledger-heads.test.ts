import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { EMPTY_ROOT, joined } from '../../adapters/ledger/hashing.ts';
import { openCheckpoint, readVkey } from '../../adapters/ledger/signed-note.ts';
import { notedHeads } from '../../adapters/temporal/noted-heads.ts';
import type { GuardianInput } from '../../contracts/guardian.ts';
import { guardianId } from '../../contracts/ids.ts';
import { pauseUpdate } from '../../contracts/messages.ts';
import { queues } from '../../contracts/queues.ts';
import { merkleTree } from '../../domain/merkle.ts';
import { attack } from '../support/ledger-attack.ts';
import { eventually, runCycle } from '../support/requests.ts';
import { createWorld, registerService, SERVICE, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.end());

const originNow = async (): Promise<string> => openCheckpoint((await world.control.head()).checkpoint)?.origin ?? '';
const notedOf = (origin: string) => notedHeads(world.client, { services: [SERVICE], origin, most: 10 });
const noted = async () => notedOf(await originNow());
const audited = async () => {
  const { heads } = await noted();
  const key = readVkey((await world.control.ledgerKey()) ?? '');
  return auditStore({ control: world.control, key, known: heads });
};

test('abuse 66: the heads that stand in the histories of guardian and cycle find an end that was cut off, head and all', async () => {
  await runCycle(world);
  const admitted = await world.control.head();
  // Cycles are found by what is searched, which follows a moment later.
  const { heads, ofOthers } = await eventually(noted, ({ histories }) => histories === 2);
  expect(ofOthers).toBe(0);
  expect(heads.map(({ from }) => from)).toEqual(
    expect.arrayContaining([`the history of ${guardianId(SERVICE)}`, expect.stringContaining(':cycle:')]),
  );
  const sound = await audited();
  expect(sound.findings).toEqual([]);
  expect(sound.known.map(({ holds }) => holds)).toEqual(heads.map(() => true));
  expect(await notedOf('pawl/another')).toMatchObject({ heads: [], ofOthers: heads.length });

  const args: [{ by: string; reason: string }] = [{ by: 'ada', reason: 'lunch' }];
  await world.client.workflow.getHandle(guardianId(SERVICE)).executeUpdate(pauseUpdate, { args });
  const longest = admitted.size + 1;
  await eventually(noted, (found) => found.heads.some(({ size }) => size === longest));
  attack(join(world.home, 'control.db'), ({ run, rebuild }) => {
    run('DELETE FROM ledger WHERE seq > ?', admitted.size);
    rebuild('keeping the checkpoint');
    run('UPDATE ledger_head SET checkpoint = ?', admitted.checkpoint);
  });
  const { findings, signature } = await audited();
  expect(signature).toBe('good');
  expect(findings).toMatchObject([{ damage: 'truncated', seq: longest, because: expect.stringContaining('history') }]);
});

test('a guardian that starts anew takes the head along that it was told last', async () => {
  await registerService(world.control, 'anew');
  const workflowId = guardianId('anew');
  const input: GuardianInput = { service: 'anew', historyLimit: 50 };
  await world.client.workflow.start('guardian', { workflowId, taskQueue: queues.control, args: [input] });
  const guardian = world.client.workflow.getHandle(workflowId);
  const broughtAlong = async () => {
    await guardian.executeUpdate(pauseUpdate, { args: [{ by: 'ada', reason: 'lunch' }] });
    const { events } = await guardian.fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    return (JSON.parse(Buffer.from(payload?.data ?? []).toString()) as GuardianInput).memory?.ledger;
  };
  const head = await eventually(broughtAlong, (ledger) => ledger !== undefined);
  const hashes = await world.control.hashes();
  expect(head?.size).toBeGreaterThan(0);
  expect(merkleTree(hashes, joined, EMPTY_ROOT).root(head?.size ?? 0)).toBe(head?.root);
});
