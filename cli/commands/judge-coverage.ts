import { z } from 'zod';
import { readSplit } from '../../adapters/judgements/files.ts';
import { DEFAULT_TENANT } from '../../contracts/access.ts';
import { type Coverage, coverageOf } from '../../domain/judgement-coverage.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { bold, dim, head, type Line, percent, table } from '../text.ts';

const DAY_MS = 86_400_000;
/** The newest of what was served: a report must take a moment only. */
const MOST_ROWS = 100_000;

export const judgeCoverage = command({
  name: 'judge coverage',
  about: 'how much of what is asked and served somebody has judged',
  details:
    'Looks at the newest served queries of the default tenant. A query is the same in whatever case, accents and punctuation.',
  arguments: [SERVICE],
  options: [
    ['--split <split>', 'train, test or live (live where pawl.yaml names one, else test)'],
    ['--days <n>', 'how far back served queries count (30)'],
  ],
  examples: ['pawl judge coverage', 'pawl judge coverage docs --split test --days 7 --json'],
  input: z.object({
    service: serviceName,
    split: z.enum(['train', 'test', 'live']).optional(),
    days: z.coerce.number('expected a number').positive().max(3_650).default(30),
  }),
  run: async ({ service: named, split: wanted, days }, context) => {
    const service = await context.service(named);
    const config = await context.config(service);
    const split = wanted ?? (config.data.judgements.live === undefined ? 'test' : 'live');
    const byQuery = Map.groupBy(await readSplit(config, split), ({ id, query }) => query ?? id ?? '');
    const judged = [...byQuery].map(([text, lines]) => ({
      text,
      judgements: Object.fromEntries(lines.map(({ document, grade }) => [document, grade])),
    }));
    const coverage = coverageOf(judged, await served(context, service, days));
    return {
      data: { service, split, ...coverage },
      lines: linesOf(coverage, split),
      next: coverage.unjudged.length === 0 ? [] : [['Bring judgements of them', 'pawl judge import FILE']],
    };
  },
});

const served = async (context: Context, service: string, days: number) => {
  const log = context.openLog();
  if (log === null) return [];
  try {
    const now = Date.now();
    const rows = await log.queryLog.read({ service, from: now - days * DAY_MS, to: now + 1, limit: MOST_ROWS });
    return rows.filter(({ error, tenant = DEFAULT_TENANT }) => error === null && tenant === DEFAULT_TENANT);
  } finally {
    log.close();
  }
};

const linesOf = ({ judged, served, unjudged }: Coverage, split: string): Line[] => [
  [bold(`${judged.judgements} judgements of ${judged.queries} queries`), ` in ${split}`],
  ...Object.entries(judged.grades)
    .sort(([a], [b]) => Number(b) - Number(a))
    .map(([grade, count]): Line => [dim(`  grade ${grade}: `), count]),
  ...(judged.withoutRelevant === 0
    ? []
    : [`${judged.withoutRelevant} of them have nothing relevant, and measure nothing`]),
  served.requests === 0
    ? 'nothing was served in this time'
    : `${served.judged} of ${served.requests} served requests (${percent(served.judged / served.requests)}) asked something that is judged`,
  ...(served.topTen === null ? [] : [`of the ten best that these got, ${percent(served.topTen)} are judged`]),
  ...(unjudged.length === 0
    ? []
    : [
        '',
        ...table([head('times', 'asked, and judged by nobody'), ...unjudged.map(({ query, times }) => [times, query])]),
      ]),
];
