import { z } from 'zod';
import type { AuditReport, Finding, KnownHead } from '../../adapters/ledger/audit.ts';
import { auditStore } from '../../adapters/ledger/audit-store.ts';
import { auditFile, headIn } from '../../adapters/ledger/export.ts';
import { type NoteKey, openCheckpoint } from '../../adapters/ledger/signed-note.ts';
import { notedHeads } from '../../adapters/temporal/noted-heads.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { keyFrom, ownKey } from '../audit.ts';
import { command, flag } from '../command.ts';
import type { Context } from '../context.ts';
import { bad, bold, good, type Line, short, warn } from '../text.ts';

const HISTORIES = 200;

const input = z.object({
  file: z.string().optional(),
  key: z.string().optional(),
  head: z.string().optional(),
  offline: flag,
  histories: z.coerce.number('expected a number').int().positive().default(HISTORIES),
});
type Input = z.infer<typeof input>;

/** What could not be looked at, in words; it is no damage, and no proof that there is none. */
interface Seen {
  readonly report: AuditReport;
  readonly pinned: boolean;
  readonly temporal: { readonly heads: number; readonly histories: number } | null;
  readonly skipped: readonly string[];
}

export const auditVerify = command({
  name: 'audit verify',
  about: 'look for edited, missing, reordered, cut-off or forged rows of the ledger, and say which',
  details:
    'Checks the hash of every row, the chain, the Merkle root, and the signature of the head against ledger.vkey; and that ' +
    'the ledger still begins as the heads say that are noted in the histories of Temporal, or in a file of yours. Whether ' +
    'what serves is what the last rows say, `pawl check` tells. Exit code 7 when there is damage.',
  options: [
    ['--file <file>', 'a file of `pawl audit export` instead of the store'],
    ['--key <file>', "the ledger's public key (ledger.vkey of the home)"],
    ['--head <file>', 'a head that you kept: an export, or the JSON of a proof'],
    ['--offline', 'do not ask Temporal for the heads that it has'],
    ['--histories <n>', `so many histories of each service, newest first (${HISTORIES})`],
  ],
  examples: ['pawl audit verify', 'pawl audit verify --file ledger.jsonl --key ledger.vkey --head last-month.jsonl'],
  input,
  run: async (given, context) => {
    const seen =
      given.file === undefined ? await storeSeen(context, given) : await fileSeen(context, given, given.file);
    const { findings, ...report } = seen.report;
    const { pinned, temporal, skipped } = seen;
    return {
      data: { sound: findings.length === 0, findings, ...report, pinned, temporal, skipped },
      lines: linesOf(seen),
      ...(findings.length === 0 ? {} : { exitCode: failures.DigestMismatch.exitCode }),
      next: findings.length === 0 ? [['Keep a copy elsewhere', 'pawl audit export FILE']] : [],
    };
  },
});

const keptHeads = async ({ head }: Input): Promise<readonly KnownHead[]> =>
  head === undefined ? [] : [await headIn(head)];

const storeSeen = async (context: Context, given: Input): Promise<Seen> => {
  const { control } = context;
  const pinned = await keyFrom(context, given.key);
  const key = pinned ?? (await ownKey(context));
  const noted = given.offline ? null : await temporalHeads(context, given, await originOf(context, pinned));
  const known = [...(await keptHeads(given)), ...(noted?.heads ?? [])];
  const report = await context.out.progress('Reading the ledger', (tell) =>
    auditStore({ control, key, known, progress: (rows) => tell(`${rows} rows`) }),
  );
  const skipped = [
    ...(pinned ? [] : ['There is no ledger.vkey: whose signature it is cannot be told. `pawl init` writes it.']),
    ...(given.offline ? ['Temporal was not asked (--offline).'] : []),
    ...(noted === null && !given.offline
      ? ['Temporal is not reachable: the heads in its histories were not compared.']
      : []),
    ...(noted?.ofOthers
      ? [`Temporal also has ${noted.ofOthers} heads of another ledger: an earlier store of this home.`]
      : []),
  ];
  const temporal = noted && { heads: noted.heads.length, histories: noted.histories };
  return { report, pinned: pinned !== null, temporal, skipped };
};

const fileSeen = async (context: Context, given: Input, file: string): Promise<Seen> => {
  const key = await keyFrom(context, given.key);
  if (!key) {
    throw new PawlError('Usage', 'A file can only be checked with the public key of its ledger', {
      hint: 'Name it with --key: ledger.vkey of the home that the file comes from.',
    });
  }
  const known = await keptHeads(given);
  const report = await context.out.progress(`Reading ${file}`, (tell) =>
    auditFile(file, { key, known, progress: (rows) => tell(`${rows} rows`) }),
  );
  return { report, pinned: true, temporal: null, skipped: [] };
};

/** The pinned key bears the ledger's name. */
const originOf = async ({ control }: Context, pinned: NoteKey | null): Promise<string> =>
  pinned?.vkey.split('+')[0] ?? openCheckpoint((await control.head()).checkpoint)?.origin ?? '';

const temporalHeads = async (context: Context, { histories: most }: Input, origin: string) => {
  const temporal = await context.temporal(0).catch(() => null);
  if (!temporal) return null;
  const services = await context.services();
  return context.out.progress('Reading the histories of Temporal', (tell) =>
    notedHeads(temporal.client, { services, origin, most, progress: (n) => tell(`${n} histories`) }),
  );
};

const linesOf = ({ report, pinned, temporal, skipped }: Seen): Line[] => {
  const { rows, head, signature, known, findings } = report;
  const agreed = known.filter(({ holds }) => holds).length;
  return [
    ...(head ? [[bold(`${rows} rows`), `, root ${short(head.root)}`]] : []),
    ...(findings.length === 0
      ? [[good('✓ '), 'every row has its hash, follows the one before it, and is in the head']]
      : []),
    ...(signature === 'good'
      ? [[good('✓ '), `the head is signed with ${pinned ? 'the pinned key' : 'its own key'}`]]
      : []),
    ...(known.length > 0
      ? [[agreed === known.length ? good('✓ ') : bad('✗ '), `${agreed} of ${known.length} heads that were noted agree`]]
      : []),
    ...(temporal ? [[`  ${temporal.heads} of them from ${temporal.histories} histories of Temporal`]] : []),
    ...skipped.map((line): Line => [warn('! '), line]),
    ...findings.map((finding): Line => [bad('✗ '), bold(nameOf(finding)), `: ${finding.because}`]),
  ];
};

const nameOf = ({ damage, seq, upTo }: Finding): string => {
  if (seq === null) return 'the head';
  return upTo === null || upTo === seq ? `row ${seq} ${damage}` : `rows ${seq} to ${upTo} ${damage}`;
};
