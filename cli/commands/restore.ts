import { resolve } from 'node:path';
import { z } from 'zod';
import { checkedBackup } from '../../adapters/keeping/manifest.ts';
import { type RestoreReport, restore as restoreHome } from '../../adapters/keeping/restore.ts';
import { failures, type PawlError } from '../../contracts/failures.ts';
import { command, flag } from '../command.ts';
import { confirm } from '../confirm.ts';
import { nameOfUser, SIGNING, signing } from '../operator.ts';
import { permit } from '../permission.ts';
import { bad, bold, dim, good, type Line, short, warn } from '../text.ts';

export const restore = command({
  name: 'restore',
  about: 'make a home from a backup, in an empty folder',
  details:
    'Every file is held against its digest first. The services come back killed: gold serves, and no cycle of the past moves traffic. --armed leaves them as they were, for when the home that was backed up is gone for good.',
  arguments: [['<backup>', 'the folder that `pawl backup` made']],
  options: [
    ['--into <folder>', 'an empty folder, or one that does not exist'],
    ['--keys <folder>', 'private keys (*.pem, *.key), where the backup has none'],
    ['--armed', 'leave the latches as they were; the old home must never serve again'],
    ['--yes', 'do not ask'],
    ...SIGNING,
  ],
  examples: [
    'pawl restore ../backup-2026-11-21 --into ../restored',
    'pawl restore ../backup --into . --keys /safe/keys',
  ],
  input: z.object({
    ...signing,
    backup: z.string().min(1),
    into: z.string('is needed: name an empty folder').min(1),
    keys: z.string().min(1).optional(),
    armed: flag,
    yes: flag,
  }),
  run: async ({ backup, into, keys, armed, yes, ...signing }, context) => {
    context.needStoreFile('restore');
    context.needArtifactFiles('restore');
    const here = (path: string): string => resolve(context.homeSources.folder, path);
    if (armed && !yes) {
      await checkedBackup(here(backup));
      await confirm(context.out, 'Is the home that was backed up gone for good? Its cycles will go on here.');
    }
    const actor = { kind: 'person', name: nameOfUser() };
    let refused: string | null = null;
    // By the people and the policies of the home that was restored; they know nobody before it is there.
    const permitted = async (): Promise<boolean> => {
      context.useHome(here(into));
      const wanted = {
        action: 'restore',
        service: null,
        subject: 'as it was, armed',
        reason: 'the old home is gone',
      } as const;
      return permit(context, wanted, signing).then(
        () => true,
        (error: PawlError) => {
          refused = error.message;
          return false;
        },
      );
    };
    const from = { backup: here(backup), into: here(into), keys: keys === undefined ? null : here(keys) };
    const order = { ...from, armed: armed ? permitted : null, actor };
    const made = await context.out.progress('restoring', (tell) => restoreHome({ ...order, tell }));
    const sound = made.findings.length === 0;
    return {
      data: { ...made, refused },
      lines: [
        ...linesOf(made),
        ...(refused === null ? [] : [[bad('✗ not armed: '), refused, ' Everything else is as it should be.']]),
      ],
      next: nextOf(made, armed && refused === null),
      exitCode: sound ? (refused === null ? 0 : failures.NotAllowed.exitCode) : failures.Unhealthy.exitCode,
    };
  },
});

const linesOf = ({ home, manifest, services, champions, ledgerKey, findings }: RestoreReport): Line[] => [
  [good('✓ '), bold(home), dim(` as it was at ${manifest.madeAt}`)],
  ...services.map(({ service, latch, champion }): Line => {
    const before = champions[service] ?? null;
    const other = before === champion ? '' : `; the champion was ${short(before)}`;
    return [`  ${service}: ${latch}, ${short(champion)} serves${other}`];
  }),
  ...findings.map(({ because }): Line => [bad('✗ '), `the ledger: ${because}`]),
  ...(ledgerKey
    ? []
    : [
        [
          warn('! '),
          'keys/ledger.pem was not there: from now on another key signs the ledger, and a row says so. Take ledger.vkey away, and `pawl init` pins the new one',
        ],
      ]),
  ...manifest.missing.map((digest): Line => [warn('! '), `missing since the backup: artifact ${digest}`]),
  ...manifest.outside.map((file): Line => [warn('! '), `to be put there by you: ${file}`]),
];

const nextOf = ({ home }: RestoreReport, armed: boolean): Array<readonly [string, string]> => [
  ['Look at it', `pawl --home ${home} check`],
  ['Start it', `pawl --home ${home} up`],
  ...(armed ? [] : ([['When the old home is off', `pawl --home ${home} rearm --all --reason "…"`]] as const)),
];
