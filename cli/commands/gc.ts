import { z } from 'zod';
import { gc as clear, type GcReport } from '../../adapters/keeping/gc.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { duration } from '../../contracts/config-values.ts';
import { command, flag } from '../command.ts';
import { nameOfUser, SIGNING, signing } from '../operator.ts';
import { permit } from '../permission.ts';
import { bytesOf, dim, good, type Line, span, table } from '../text.ts';

/** What is written but not named yet must never be old enough: naming it takes seconds, or a stage's retries. */
const YOUNGEST_MS = 3_600_000;

export const gc = command({
  name: 'gc',
  about: 'remove what nothing needs: unnamed artifacts, half-written files, old indexes, settled rows',
  details:
    'Never gold, the champion, or anything that the ledger or a registered variant names. It can run at any time; when something cannot be read it removes nothing.',
  options: [
    ['--dry-run', 'only say what would go'],
    ['--older-than <duration>', 'the safe age, 1h at least (7d)'],
    ...SIGNING,
  ],
  examples: ['pawl gc --dry-run', 'pawl gc --older-than 30d'],
  input: z.object({
    ...signing,
    dryRun: flag,
    olderThan: duration
      .prefault('7d')
      .refine((ms) => ms >= YOUNGEST_MS, 'must be 1h or more: what was just written may not be named yet'),
  }),
  run: async ({ dryRun, olderThan, ...signing }, context) => {
    context.needStoreFile('gc');
    context.needArtifactFiles('gc');
    const { paths, control, artifacts, home, environment } = context;
    const services = await servicesOf(home, environment.environment).all();
    const deps = { paths, control, artifacts, services, now: Date.now };
    const reason = 'nothing needs it';
    const subject = `what is older than ${span(olderThan)}`;
    if (!dryRun) await permit(context, { action: 'gc', service: null, subject, reason }, signing);
    const actor = { kind: 'person', name: nameOfUser() };
    const order = { dryRun, olderThanMs: olderThan, actor, reason };
    const report = await context.out.progress('looking for what nothing needs', (tell) =>
      clear(deps, { ...order, tell }),
    );
    return {
      data: report,
      lines: linesOf(report),
      next: dryRun ? [['Remove it', 'pawl gc']] : [['Keep a copy of the rest', 'pawl backup ../backup']],
    };
  },
});

const linesOf = ({ dryRun, total, artifacts, halfWritten, indexes, rows, tooYoung }: GcReport): Line[] => {
  const part = (what: string, { files, bytes }: GcReport['total']) => [what, `${files} files`, bytesOf(bytes)];
  const freed = artifacts.bytes + halfWritten.bytes + indexes.bytes;
  return [
    ...table([
      part('artifacts', artifacts),
      part('half-written', halfWritten),
      part('indexes', indexes),
      ['answers', `${rows.answers} rows`, ''],
      ['nonces', `${rows.nonces} rows`, ''],
    ]),
    [good(dryRun ? 'would free ' : 'freed '), bytesOf(freed), dim(` of ${bytesOf(total.bytes)}`)],
    ...(tooYoung > 0 ? [[dim(`${tooYoung} more are named by nothing, and too young to go`)]] : []),
  ];
};
