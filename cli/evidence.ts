/** A cycle that has ended, by what the ledger and the artifacts hold of it. It needs nothing that runs. */
import { evidenceFolder, readFolder } from '../adapters/evidence/folder.ts';
import { sealedFiles } from '../adapters/evidence/sealed-files.ts';
import { checkEvidence, type EvidenceCheck, erasedIn, sealedRef } from '../adapters/evidence/verify.ts';
import { type NoteKey, readVkey } from '../adapters/ledger/signed-note.ts';
import { PawlError } from '../contracts/failures.ts';
import { CYCLE_ID } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import { keyFrom, ownKey } from './audit.ts';
import type { Context } from './context.ts';
import type { CycleChoice } from './cycles.ts';

export interface EndedCycle {
  readonly service: string;
  readonly cycle: string;
  /** null: it has not ended yet, or the ledger has lost its end. */
  readonly end: LedgerRow | null;
}

const ENDED = 'cycle ended';

/** `latest`, or nothing, is the one that ended last. */
export const endedCycle = async (context: Context, choice: CycleChoice): Promise<EndedCycle> => {
  const { cycle = 'latest' } = choice;
  const { control } = context;
  if (cycle !== 'latest' && !CYCLE_ID.test(cycle)) {
    throw new PawlError('Usage', `"${cycle}" is no cycle: expected an id such as si_2026_11_21_001, or latest.`);
  }
  const service = choice.service === undefined ? {} : { service: await context.service(choice.service) };
  const which = cycle === 'latest' ? { last: 1, kind: ENDED } : { cycle };
  const rows = (await control.ledger({ ...service, ...which })).filter((row) => row.cycle !== null);
  const owners = [...new Set(rows.map((row) => row.service))];
  const [owner, ...others] = owners;
  if (owner === undefined) {
    const what = cycle === 'latest' ? 'No cycle has ended yet.' : `The ledger knows no cycle ${cycle}.`;
    throw new PawlError('NotFound', what, { hint: '`pawl cycle ls` lists those that Temporal knows.' });
  }
  if (others.length > 0) {
    throw new PawlError('Usage', `Several services have a cycle ${cycle}: ${owners.join(', ')}.`, {
      hint: `Say which one: --service ${owner}`,
    });
  }
  const id = rows[0]?.cycle ?? cycle;
  return { service: owner, cycle: id, end: rows.findLast(({ kind }) => kind === ENDED) ?? null };
};

export const folderOf = ({ paths }: Context, { service, cycle }: EndedCycle): string =>
  evidenceFolder(paths.evidence, service, cycle);

export const checkOf = async (context: Context, found: EndedCycle): Promise<EvidenceCheck> => {
  const { service, cycle, end } = found;
  const ref = sealedRef(end);
  const erased = await context.control.ledger({ kind: 'erased' });
  const sealed = ref && (await context.artifacts.get(ref).catch(() => null));
  const folder = await readFolder(folderOf(context, found));
  // Of homes that share a store, the one whose worker sealed it has the folder; the others have the same bytes.
  const elsewhere = folder === null && sealed !== null && context.sharesStore;
  return checkEvidence({
    ...{ service, cycle, end },
    files: elsewhere ? await sealedFiles(context.artifacts, sealed) : folder,
    sealed,
    erased: erasedIn(erased),
    keys: await ledgerKeys(context),
  });
};

/** The pinned key, and those that the ledger says were before it: whoever signs the ledger vouches for them. */
const ledgerKeys = async (context: Context): Promise<readonly NoteKey[]> => {
  const { paths, control, out } = context;
  const pinned = await keyFrom(context, undefined);
  if (!pinned) out.note(`${paths.ledgerKey} is not there: the key is taken from the store. \`pawl init\` writes it.`);
  const changes = await control.ledger({ kind: 'ledger key changed' });
  const before = changes.flatMap(({ body }) => (typeof body.before === 'string' ? (readVkey(body.before) ?? []) : []));
  return [pinned ?? (await ownKey(context)), ...before].filter((key) => key !== null);
};
