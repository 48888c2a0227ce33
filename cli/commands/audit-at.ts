import { z } from 'zod';
import type { ControlStore } from '../../adapters/control/port.ts';
import { type InclusionProof, proverOf } from '../../adapters/ledger/proofs.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { LedgerRow } from '../../contracts/ledger.ts';
import { type Decided, decidedFor, type ServedAt, servedAt } from '../../domain/served-at.ts';
import { moment } from '../audit.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import { bold, dim, type Line, percent, short } from '../text.ts';

export const auditAt = command({
  name: 'audit at',
  about: 'say which variant served at a time, and who decided, with the proof',
  details:
    'The rows that it names are proved under one signed checkpoint; --json has the proofs. The time is that of the rows: ' +
    'the clock of the machine that wrote them.',
  arguments: [['<time>', '2026-11-21T12:00Z, `now`, or how long ago: 90m'], SERVICE],
  examples: ['pawl audit at 2026-11-21T12:00Z', 'pawl audit at 24h docs --json'],
  input: z.object({ time: moment, service: serviceName }),
  run: async ({ time, service: named }, context) => {
    const { control } = context;
    const service = await context.service(named);
    const served = await findServed(control, service, time);
    const decided = await findDecided(control, served.crowned);
    const prover = await context.out.progress('Building the tree', () => proverOf(control));
    const rows = [served.crowned, served.moved, decided.admitted, ...decided.byPeople, ...decided.byPolicy];
    const unique = [...new Map(rows.flatMap((row) => (row ? [[row.seq, row] as const] : []))).values()];
    const proofs = unique.toSorted((a, b) => a.seq - b.seq).map((row) => prover.inclusion(row));
    const { champion, arms, latch } = served;
    return {
      data: {
        service,
        at: time,
        ...{ champion, arms, latch },
        since: served.crowned.at,
        cycle: served.crowned.cycle,
        decidedBy: decided.who,
        people: decided.byPeople.map(({ seq, at, reason, body }) => {
          return { row: seq, person: body.person, role: body.role, reason, at };
        }),
        rows: { champion: served.crowned.seq, traffic: served.moved.seq, admitted: decided.admitted?.seq ?? null },
        checkpoint: prover.head.checkpoint,
        proofs,
      },
      lines: linesOf(service, time, served, decided, proofs),
      next: [['The proof of a row', `pawl audit prove ${served.crowned.seq}`]],
    };
  },
});

/** Most answers are among the newest rows; a ledger is not read from its beginning for them. */
const findServed = async (control: ControlStore, service: string, until: string): Promise<ServedAt> => {
  for (let last = 200; ; last *= 10) {
    const rows = await control.ledger({ service, until, last });
    const served = servedAt(rows);
    if (served) return served;
    if (rows.length < last) {
      throw new PawlError('NotFound', `Nothing of ${service} served at ${until}: it was registered later, or never.`, {
        hint: `\`pawl audit show --service ${service}\` shows its rows.`,
      });
    }
  }
};

const findDecided = async (control: ControlStore, row: LedgerRow): Promise<Decided> => {
  const { service, cycle } = row;
  return decidedFor(row, await control.ledger(cycle === null ? { service, kind: 'decision' } : { cycle, service }));
};

const linesOf = (
  service: string,
  time: string,
  { champion, arms, latch, crowned, moved }: ServedAt,
  { who, byPeople, admitted }: Decided,
  proofs: readonly InclusionProof[],
): Line[] => [
  [bold(short(champion)), ` was the champion of ${service} at ${time}`, dim(` (${latch})`)],
  ['  variant     ', champion],
  ['  traffic     ', arms.map(({ variant, share }) => `${short(variant)} ${percent(share)}`).join(', ')],
  ['  since       ', `${crowned.at}, row ${crowned.seq} (${crowned.kind}: ${crowned.reason})`],
  ...(moved.seq === crowned.seq
    ? []
    : [['  split since ', `${moved.at}, row ${moved.seq} (${moved.kind}: ${moved.reason})`] satisfies Line]),
  ['  cycle       ', crowned.cycle ?? 'none'],
  ...(admitted
    ? [['  asked for by', ` ${admitted.actor.kind} ${admitted.actor.name}: ${admitted.reason}`] satisfies Line]
    : []),
  ['  decided by  ', bold(who)],
  ...byPeople.map(({ seq, at, body, reason }): Line => [`    row ${seq}  ${at}  ${body.person}: ${reason}`]),
  ['  proof       ', proofLine(proofs)],
];

const proofLine = (proofs: readonly InclusionProof[]): string => {
  const rows = proofs.map(({ row }) => row.seq).join(', ');
  return `${proofs.length === 1 ? `row ${rows} is` : `rows ${rows} are`} in the signed head of ${proofs[0]?.size} rows`;
};
