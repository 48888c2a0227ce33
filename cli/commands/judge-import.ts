import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { importJudgements } from '../../adapters/judgements/files.ts';
import { formatOf, JUDGEMENT_FORMATS, parseJudged } from '../../adapters/judgements/formats.ts';
import { PawlError } from '../../contracts/failures.ts';
import { command, flag, OF_SERVICE, serviceName } from '../command.ts';
import { bold, good, type Line, warn } from '../text.ts';

export const judgeImport = command({
  name: 'judge import',
  about: 'put judgements of another tool into the files that pawl.yaml names',
  details:
    'What is there stays to the byte; what is there already is not written again; what contradicts is refused as a whole. A query is named by its id or by its text: one that is new gets an id and a line in the queries file. A query that is learned from is never measured on, nor the other way round.',
  arguments: [['<file>', 'qrels (trec), tsv, csv with a head, or JSON lines']],
  options: [
    ['--into <split>', 'train, test or live (test)'],
    ['--format <format>', `${JUDGEMENT_FORMATS.join(', ')} (by the name of the file)`],
    ['--replace', 'what contradicts replaces what is there'],
    ['--dry-run', 'only say what would come in'],
    OF_SERVICE,
  ],
  examples: ['pawl judge import qrels.txt --into test', 'pawl judge import judged.csv --into train --dry-run'],
  input: z.object({
    file: z.string().min(1),
    into: z.enum(['train', 'test', 'live']).default('test'),
    format: z.enum(JUDGEMENT_FORMATS).optional(),
    replace: flag,
    dryRun: flag,
    service: serviceName,
  }),
  run: async ({ file, into, format = formatOf(file), replace, dryRun, service: named }, context) => {
    const path = resolve(context.homeSources.folder, file);
    const text = await readFile(path, 'utf8').catch((cause: Error) => {
      throw new PawlError('NotFound', `${path} cannot be read: ${cause.message}`, { cause });
    });
    const config = await context.config(await context.service(named));
    const lines = parseJudged(format, { name: file, text });
    const report = await importJudgements(config, lines, { into, replace, dryRun });
    const { added, replaced, repeated, newQueries, unknownDocuments } = report;
    const said: Line[] = [
      [
        dryRun ? warn('would add ') : good('added '),
        bold(`${added} judgements, ${newQueries} new queries`),
        ` to ${report.file}`,
      ],
      `${replaced} replaced, ${repeated} were there already`,
    ];
    const odd: Line[] =
      unknownDocuments === 0
        ? []
        : [[warn('! '), `${unknownDocuments} judged documents are not in the corpus: they count as not found`]];
    return {
      data: { ...report, dryRun },
      lines: [...said, ...odd],
      next: [['How much of what is served is judged', 'pawl judge coverage']],
    };
  },
});
