/** A home where nothing runs: a cycle has ended, and its evidence is sealed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evidenceFolder } from '../../adapters/evidence/folder.ts';
import { homePaths } from '../../adapters/home.ts';
import { pinLedgerKey } from '../../adapters/ledger/pinned-key.ts';
import type { SealOrder } from '../../contracts/evidence.ts';
import { CYCLE, type CycleEvidence, cycleEvidence } from '../support/cycle-evidence.ts';
import { SERVICE } from '../support/search-service.ts';
import { pawlIn } from './cli-world.ts';

export interface Scene extends CycleEvidence {
  readonly home: string;
  readonly folder: string;
  pawl(...args: readonly string[]): ReturnType<typeof pawlIn>;
}

export const scene = async (
  changed: (order: SealOrder, made: CycleEvidence) => SealOrder | Promise<SealOrder> = (order) => order,
): Promise<Scene> => {
  const made = await cycleEvidence();
  const home = made.service.config.folder;
  writeFileSync(join(home, 'pawl.yaml'), 'service: docs\n');
  await pinLedgerKey(home, (await made.service.deps.control.ledgerKey()) ?? '');
  await made.end(await changed(made.order, made));
  const folder = evidenceFolder(homePaths(home).evidence, SERVICE, CYCLE);
  return { ...made, home, folder, pawl: (...args) => pawlIn(home, args) };
};
