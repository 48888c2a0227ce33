import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readSplit } from '../../adapters/judgements/files.ts';
import { formatOf, JUDGEMENT_FORMATS, type JudgedLine, judgedText } from '../../adapters/judgements/formats.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import { PawlError } from '../../contracts/failures.ts';
import { countClicks } from '../../domain/click-counts.ts';
import { fitClickModel } from '../../domain/click-model.ts';
import { judgementsFromClicks } from '../../domain/click-training.ts';
import { median } from '../../domain/percentile.ts';
import { normalised } from '../../domain/tokens.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { bold } from '../text.ts';

const SOURCES = ['train', 'test', 'live', 'given', 'clicks'] as const;
const DAY_MS = 86_400_000;

export const judgeExport = command({
  name: 'judge export',
  about: 'write judgements to a file: those of the service, those that users gave, or those that clicks suggest',
  details:
    '`given`: what came as judgements to /v1/feedback; of several people the median. `clicks`: grades from a click model that knows how often each place is looked at, with the probability that each is right; where the clicks are too few it says how many are needed. Both are of the default tenant, and become judgements of the service by `pawl judge import`.',
  arguments: [['<file>', 'a file that is not there yet']],
  options: [
    ['--from <source>', `${SOURCES.join(', ')} (test)`],
    ['--format <format>', `${JUDGEMENT_FORMATS.join(', ')} (by the name of the file)`],
    ['--confidence <share>', 'least probability of a grade from clicks (0.9)'],
    ['--days <n>', 'how far back what was given and clicked counts (30)'],
    OF_SERVICE,
  ],
  examples: [
    'pawl judge export qrels.txt --from test',
    'pawl judge export clicks.jsonl --from clicks --confidence 0.95',
  ],
  input: z.object({
    file: z.string().min(1),
    from: z.enum(SOURCES).default('test'),
    format: z.enum(JUDGEMENT_FORMATS).optional(),
    confidence: z.coerce.number('expected a share such as 0.9').min(0).max(1).default(0.9),
    days: z.coerce.number('expected a number').positive().max(3_650).default(30),
    service: serviceName,
  }),
  run: async ({ file, from, format = formatOf(file), confidence, days, service: named }, context) => {
    const service = await context.service(named);
    const lines = await linesFrom(context, { service, from, confidence, days });
    const path = resolve(context.homeSources.folder, file);
    await writeFile(path, judgedText(format, lines), { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === 'EEXIST')
        throw new PawlError('Refused', `${path} is there already.`, { hint: 'Name another file.' });
      throw new PawlError('Usage', `${path} cannot be written: ${cause.message}`, { cause });
    });
    const queries = new Set(lines.map(({ id, query }) => id ?? query)).size;
    return {
      data: { file: path, from, judgements: lines.length, queries },
      lines: [[bold(`${lines.length} judgements of ${queries} queries`), ` in ${path}`]],
    };
  },
});

interface Wish {
  readonly service: string;
  readonly from: (typeof SOURCES)[number];
  readonly confidence: number;
  readonly days: number;
}

const linesFrom = async (context: Context, { service, from, confidence, days }: Wish): Promise<JudgedLine[]> => {
  if (from !== 'given' && from !== 'clicks') return readSplit(await context.config(service), from);
  const log = context.openLog();
  if (log === null) throw noFeedback(context.paths.metrics);
  const { feedback } = log;
  try {
    const now = Date.now();
    const window = { service, tenant: DEFAULT_TENANT, from: now - days * DAY_MS, to: now + 1 };
    if (from === 'clicks') {
      const model = fitClickModel(countClicks(await feedback.received(window)));
      if (model.tooFew !== null)
        throw new PawlError('NoData', `The clicks are too few: ${model.tooFew}.`, { hint: FEEDBACK });
      return judgementsFromClicks(model)
        .filter((one) => one.confidence >= confidence)
        .map((one) => ({ id: null, ...one }));
    }
    const given = await feedback.judgements(window);
    const same = Map.groupBy(given, ({ query, document }) => `${normalised(query)}\n${document}`);
    return [...same.values()].flatMap((all) =>
      all
        .slice(0, 1)
        .map(({ query, document }) => ({ id: null, query, document, grade: median(all.map(({ grade }) => grade)) })),
    );
  } finally {
    log.close();
  }
};

const FEEDBACK = 'Send impressions and clicks to /v1/feedback: docs/guide/judgements.md shows how.';
const noFeedback = (path: string): PawlError =>
  new PawlError('NoData', `There is no ${path}: nothing was served yet.`, { hint: FEEDBACK });
