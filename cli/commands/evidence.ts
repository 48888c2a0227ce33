import { existsSync } from 'node:fs';
import { z } from 'zod';
import type { EvidenceCheck, FileCheck } from '../../adapters/evidence/verify.ts';
import { failures } from '../../contracts/failures.ts';
import { CYCLE, command, OF_SERVICE, serviceName } from '../command.ts';
import { checkOf, type EndedCycle, endedCycle, folderOf } from '../evidence.ts';
import { bad, bold, dim, good, head, type Line, NOTHING, short, table, warn } from '../text.ts';

const input = z.object({ cycle: z.string().optional(), service: serviceName });

export const evidenceShow = command({
  name: 'evidence show',
  about: 'show the folder of evidence that a cycle left: files, sizes, digests, and whether it is complete',
  details: 'Read from ledger and files; nothing needs to run. Without a cycle it shows the one that ended last.',
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl evidence show', 'pawl evidence show si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const found = await endedCycle(context, choice);
    const check = await checkOf(context, found);
    const folder = folderOf(context, found);
    return {
      data: { ...named(found), folder, ...check },
      lines: [headLine(found), [dim(placeOf(folder))], ...fileLines(check.files), completeLine(check)],
      next: [['Check it', `pawl evidence verify ${found.cycle} --service ${found.service}`]],
    };
  },
});

export const evidenceVerify = command({
  name: 'evidence verify',
  about: 'check that the evidence of a cycle is complete, unchanged, signed and in the ledger',
  details:
    "Hashes every file again and holds it against the statement that the ledger names; checks the statement's signature with ledger.vkey. Exit code 7 when anything was changed, is missing, was added or was never there.",
  arguments: [CYCLE],
  options: [OF_SERVICE],
  examples: ['pawl evidence verify', 'pawl evidence verify si_2026_11_21_001 --json'],
  input,
  run: async (choice, context) => {
    const found = await endedCycle(context, choice);
    const check = await checkOf(context, found);
    const files = check.files.filter(({ state }) => state === 'whole').length;
    return {
      data: { ...named(found), ...check },
      lines: check.good
        ? [[good('✓ '), `${found.cycle}: ${files} files as they were sealed, signed by ${check.signedBy}`]]
        : [[bad('✗ '), bold(found.cycle)], ...check.problems.map((problem): Line => ['  ', problem])],
      exitCode: check.good ? 0 : failures.DigestMismatch.exitCode,
      ...(check.good ? {} : { next: [['What is there', `pawl evidence show ${found.cycle}`]] as const }),
    };
  },
});

const placeOf = (folder: string): string =>
  existsSync(folder) ? folder : `${folder} is not in this home; these are the artifacts`;

const named = ({ service, cycle, end }: EndedCycle) => ({ service, cycle, outcome: end?.body.outcome ?? null });

const headLine = ({ service, cycle, end }: EndedCycle): Line => [
  bold(cycle),
  ` of ${service}`,
  dim(end === null ? ' (the ledger knows no end of it)' : ` (${end.body.outcome})`),
];

const MARKS = { whole: good('✓'), changed: bad('✗ changed'), missing: bad('✗ missing'), extra: bad('✗ extra') };

const fileLines = (files: readonly FileCheck[]): Line[] =>
  table([
    head('file', 'bytes', 'sha256', ''),
    ...files.map(({ name, size, sha256, sealed, state }) => [
      name,
      size ?? NOTHING,
      short(sha256 ?? sealed),
      state === 'erased' ? dim('erased') : MARKS[state],
    ]),
  ]);

const completeLine = ({ complete, missing, problems }: EvidenceCheck): Line => {
  if (complete === null) return [bad('no statement: '), problems.join('; ')];
  if (!complete) return [warn('incomplete: '), missing.join(', ')];
  return problems.length === 0 ? [good('complete')] : [warn('complete when it was sealed; '), problems.join('; ')];
};
