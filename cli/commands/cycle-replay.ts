import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { EvidenceCheck } from '../../adapters/evidence/verify.ts';
import { failures, PawlError } from '../../contracts/failures.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { CycleEnd, CycleInput } from '../../contracts/messages.ts';
import type { Course } from '../../domain/course.ts';
import { type Decision, type Rederived, rederive, type Settings } from '../../domain/rederive.ts';
import { WHAT_IFS, withWhatIf } from '../../domain/what-if.ts';
import type { History, HistoryReplay } from '../../infra/temporal/replay.ts';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { checkOf, type EndedCycle, endedCycle } from '../evidence.ts';
import { recordedCycle } from '../recorded-cycle.ts';
import { bad, bold, dim, good, type Line, warn } from '../text.ts';

export const cycleReplay = command({
  name: 'cycle replay',
  about: "run a cycle's history through today's code, and derive its decisions again from its evidence alone",
  details: [
    "Three things are held against what was recorded: today's workflow code against the history, the files of evidence against their signed statement, and every decision against the evidence that it was made on (gates, training, verdict, approvals, watch, end). Exit code 13 when anything disagrees, is missing or was changed.",
    'What decided in a stage of your own cannot be derived; it is named, and taken as it was recorded.',
    '--what-if shows what other settings would have decided on the same evidence:',
    '',
    ...WHAT_IFS.map(([name, about]) => `- \`${name}\`: ${about}`),
  ].join('\n'),
  arguments: [CYCLE],
  options: [
    OF_SERVICE,
    ['--history <file>', 'the history, as `temporal workflow show -o json` writes it, instead of asking Temporal'],
    ['--no-history', 'only the evidence; Temporal need not run'],
    ['--what-if <change...>', 'other settings, such as gate.drop=2%; may be given several times'],
  ],
  examples: ['pawl cycle replay', 'pawl cycle replay si_2026_11_21_001 --what-if gate.drop=2% watch.maxDrop=1%'],
  input: z.object({
    cycle: z.string().optional(),
    service: serviceName,
    history: z.union([z.string(), z.boolean()]).optional(),
    whatIf: z.array(z.string()).default([]),
  }),
  run: async ({ whatIf, history: from, ...choice }, context) => {
    const found = await endedCycle(context, choice);
    const history = from === false ? null : await historyFor(context, found, typeof from === 'string' ? from : null);
    const replay = history && (await replayed(history));
    const evidence = await checkOf(context, found);
    const input = (history?.input ?? null) as CycleInput | null;
    const { record, settings, problems } = await recordedCycle(context, found, input);
    const derived = rederive(record, settings);
    const changed = whatIf.length === 0 ? null : { changes: whatIf, ...rederive(record, other(settings, whatIf)) };
    const wrong = [
      ...(replay && !replay.replays ? [`the history does not replay: ${replay.because}`] : []),
      ...historyProblems(history, record.end),
      ...new Set([...problems, ...evidence.problems]),
      ...derived.decisions.filter(({ agrees }) => agrees === false).map(({ what }) => `${what}: not what was recorded`),
    ];
    const { service, cycle } = found;
    return {
      data: {
        service,
        cycle,
        agrees: wrong.length === 0,
        problems: wrong,
        history: replay,
        evidence,
        ...derived,
        whatIf: changed,
      },
      lines: [
        [bold(cycle), ` of ${service}`],
        historyLine(replay),
        evidenceLine(evidence),
        ...derived.decisions.map(decisionLine),
        ...wrong.map((problem): Line => [bad('✗ '), problem]),
        ...(changed ? whatIfLines(changed, derived, record.end) : []),
      ],
      exitCode: wrong.length === 0 ? 0 : failures.Unhealthy.exitCode,
    };
  },
});

interface Fetched {
  readonly history: History;
  readonly workflowId: string;
  readonly input: unknown;
  readonly result: unknown;
}

/** Loaded when it is needed: the worker is most of what this command takes. */
const historyFor = async (context: Context, { service, cycle }: EndedCycle, file: string | null): Promise<Fetched> => {
  const { historyOf, endsOf } = await import('../../infra/temporal/replay.ts');
  const workflowId = cycleWorkflowId(service, cycle);
  const history =
    file === null
      ? await context.ask('fetching the history', (client) => client.workflow.getHandle(workflowId).fetchHistory())
      : historyOf(await readFile(file, 'utf8').catch((cause) => unreadable(file, cause)), file);
  const { workflowId: named, ...ends } = endsOf(history);
  if (named !== undefined && named !== '' && named !== workflowId) {
    throw new PawlError('Usage', `The history is that of ${named}, not of ${workflowId}.`);
  }
  return { history, workflowId, ...ends };
};

const unreadable = (file: string, cause: unknown): never => {
  throw new PawlError('NotFound', `${file} cannot be read.`, { cause });
};

const replayed = async ({ history, workflowId }: Fetched): Promise<HistoryReplay> => {
  const { replayHistory } = await import('../../infra/temporal/replay.ts');
  return replayHistory(history, workflowId);
};

/** History and ledger tell of one end. */
const historyProblems = (history: Fetched | null, { outcome }: CycleEnd): string[] => {
  const said = (history?.result as CycleEnd | undefined)?.outcome;
  return said === undefined || said === outcome ? [] : [`the history ends as ${said}, and the ledger says ${outcome}`];
};

const other = (settings: Settings, changes: readonly string[]): Settings =>
  changes.reduce((changed, text) => {
    const next = withWhatIf(changed, text);
    if (!('because' in next)) return next;
    throw new PawlError('Usage', `--what-if: ${next.because}.`, {
      hint: '`pawl cycle replay --help` says what each of them means.',
    });
  }, settings);

const historyLine = (replay: HistoryReplay | null): Line => {
  if (replay === null) return [dim('- history          '), 'not looked at'];
  if (!replay.replays) return [bad('✗ '), 'history          does not replay'];
  return [good('✓ '), `history          ${replay.events} events replay with today's workflows`];
};

const evidenceLine = ({ good: whole, files }: EvidenceCheck): Line =>
  whole
    ? [good('✓ '), `evidence         ${files.length} files as they were sealed, and complete`]
    : [bad('✗ '), 'evidence         not as it was sealed, or incomplete'];

const decisionLine = ({ what, recorded, derived, agrees }: Decision): Line => {
  const name = what.padEnd(17);
  if (agrees === null) return [warn('- '), name, derived];
  if (agrees) return [good('✓ '), name, derived];
  return [bad('✗ '), name, `recorded ${recorded}, re-derived ${derived}`];
};

const whatIfLines = (changed: Rederived & { changes: readonly string[] }, as: Rederived, end: CycleEnd): Line[] => [
  '',
  [bold('What if '), changed.changes.join(', ')],
  ...changed.decisions
    .filter(({ what }) => what !== 'end')
    .map((decision): Line => {
      const before = as.decisions.find(({ what }) => what === decision.what)?.derived;
      const same = before === decision.derived;
      return [
        '  ',
        decision.what.padEnd(17),
        decision.derived,
        same ? dim(' (the same)') : warn(` (it was ${before ?? 'not asked'})`),
      ];
    }),
  ['  ', 'end'.padEnd(17), courseText(changed.course), dim(` (it was ${end.outcome})`)],
];

const courseText = (course: Course): string =>
  'ended' in course
    ? `would have ended as ${course.ended}: ${course.because}`
    : `would have gone on to ${course.goesOnTo}: not recorded`;
