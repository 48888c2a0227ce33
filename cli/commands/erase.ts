import { z } from 'zod';
import type { Wanted } from '../../adapters/keeping/asked.ts';
import { type EraseReport, erase as eraseAsked, ownFilesOf } from '../../adapters/keeping/erase.ts';
import { subjectHasherThere } from '../../adapters/keys/subject-key.ts';
import { servicesOf } from '../../adapters/service/services.ts';
import { command, flag, reason } from '../command.ts';
import { confirm } from '../confirm.ts';
import type { Context } from '../context.ts';
import { nameOfUser, SIGNING, signing } from '../operator.ts';
import { permit } from '../permission.ts';
import { bold, dim, good, type Line, warn } from '../text.ts';

const input = z
  .object({
    ...signing,
    subject: z.string().min(1).optional(),
    queryText: z.string().min(1).optional(),
    match: z.string().min(3, 'needs three characters or more').optional(),
    reason,
    dryRun: flag,
    yes: flag,
  })
  .refine(({ subject, queryText, match }) => [subject, queryText, match].filter(Boolean).length === 1, {
    path: ['subject'],
    message: 'name one of --subject, --query-text and --match',
  });

export const erase = command({
  name: 'erase',
  about: 'erase what a person asked, from the log and from evidence; the ledger still verifies',
  details:
    'Finds the served queries of a subject (the x-pawl-subject header of the requests), or by their text, deletes them with what was told about the answers, what the subject judged, and every evidence file that holds one of these texts. A row in the ledger says which digests went: never of whom, nor what was asked. Backups are not reached.',
  options: [
    ['--subject <id>', 'who asked, as the requests named them'],
    ['--query-text <text>', 'one text, whoever asked it'],
    ['--match <part>', 'every text that holds this part'],
    ['--reason <text>', 'why; it stands in the ledger for ever, so name no person in it'],
    ['--dry-run', 'only say what would go, and show the texts'],
    ['--yes', 'do not ask'],
    ...SIGNING,
  ],
  examples: ['pawl erase --subject user-4711 --reason "request 2026-112" --dry-run'],
  input,
  run: async (given, context) => {
    context.needArtifactFiles('erase');
    const wanted = wantedBy(given, context);
    const { home, environment, paths, control } = context;
    const services = await servicesOf(home, environment.environment).all();
    const { store } = environment;
    const openLog = store === null ? {} : await sharedLog(store);
    const deps = { paths, control, ownFiles: ownFilesOf(services), ...openLog };
    const actor = { kind: 'person', name: nameOfUser() };
    const run = (what: string, dryRun: boolean): Promise<EraseReport> =>
      context.out.progress(what, (tell) => eraseAsked(deps, { wanted, reason: given.reason, actor, dryRun, tell }));
    const { dryRun, yes } = given;
    if (!dryRun && !yes) {
      const { rows, files } = await run('looking', true);
      await confirm(context.out, `Erase ${rows} served queries and judgements, and ${files} evidence files for good?`);
    }
    // The decision stands in the ledger: it says how the person was found, and not who it is.
    const subject = `what was asked, found by ${wanted.by}`;
    if (!dryRun) await permit(context, { action: 'erase', service: null, subject, reason: given.reason }, given);
    const report = await run(dryRun ? 'looking' : 'erasing', dryRun);
    return { data: report, lines: linesOf(report) };
  },
});

/** What talks to PostgreSQL is loaded where there is one. */
const sharedLog = async (store: string) => {
  const { askedInPostgres } = await import('../../adapters/keeping/asked-postgres.ts');
  return { openLog: () => askedInPostgres(store) };
};

const wantedBy = ({ subject, queryText, match }: z.infer<typeof input>, { paths }: Context): Wanted => {
  if (subject !== undefined) return { by: 'subject', hash: subjectHasherThere(paths.keys)(subject) };
  return queryText === undefined ? { by: 'match', text: match ?? '' } : { by: 'query text', text: queryText };
};

const linesOf = ({ dryRun, rows, files, row, texts, artifacts, ownFiles }: EraseReport): Line[] => [
  [
    dryRun ? warn('would erase ') : good('erased '),
    bold(`${rows} served queries and judgements, ${files} evidence files`),
    dim(row === null ? '' : ` (row ${row} of the ledger)`),
  ],
  ...texts.map((text): Line => [dim('  asked: '), text]),
  ...artifacts.map((digest): Line => [dim(`  ${digest}`)]),
  ...ownFiles.map((path): Line => [warn('! '), `${path} holds it too, and the next cycle reads it: take it out there`]),
];
