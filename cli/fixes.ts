/** Which fix is meant, and what is known of it. The ledger knows all of them; one that runs says itself how far it is. */
import { type UpdateDefinition, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { PawlError } from '../contracts/failures.ts';
import { FIX_ID, fixWorkflowId } from '../contracts/ids.ts';
import type { LedgerRow } from '../contracts/ledger.ts';
import type { Answer } from '../contracts/messages.ts';
import type { FixEnd, FixInput, FixPromise } from '../contracts/remediation.ts';
import { type FixStatus, fixStatusQuery } from '../contracts/remediation-messages.ts';
import type { Described } from './command.ts';
import type { Context } from './context.ts';

export const FIX: Described = ['[fix]', 'id such as fx_2026_11_21_001, or `latest`'];

export interface FixChoice {
  readonly fix?: string | undefined;
  readonly service?: string | undefined;
}
export interface ListedFix {
  readonly service: string;
  readonly fix: string;
  readonly workflowId: string;
  readonly running: boolean;
  /** null while it runs. */
  readonly outcome: string | null;
  readonly because: string | null;
  readonly remedy: string | null;
  readonly symptoms: readonly string[];
  readonly requestedBy: string;
  readonly reason: string;
  readonly startedAt: string;
  readonly tookMs: number;
  readonly promises: readonly FixPromise[];
  readonly end: FixEnd | null;
}

/** Newest first. */
export const listFixes = async ({ control }: Context, service?: string): Promise<ListedFix[]> => {
  const read = (kind: string) => control.ledger({ kind, ...(service !== undefined && { service }) });
  const [admitted, ended] = await Promise.all([read('fix admitted'), read('fix ended')]);
  const ends = new Map(ended.map((row) => [`${row.service} ${row.cycle}`, row]));
  return admitted.map((row) => listed(row, ends.get(`${row.service} ${row.cycle}`) ?? null)).reverse();
};

/** What is shown here was written by the same program, and is not trusted for that. */
const endBody = z.looseObject({
  outcome: z.string(),
  because: z.string(),
  remedy: z.string().nullable().default(null),
  promises: z
    .array(z.object({ gate: z.string(), withinMs: z.number(), tookMs: z.number(), kept: z.boolean() }))
    .default([]),
});

const listed = (row: LedgerRow, end: LedgerRow | null): ListedFix => {
  const said = endBody.safeParse(end?.body).data;
  const fix = row.cycle ?? '';
  return {
    ...{ service: row.service, fix, workflowId: fixWorkflowId(row.service, fix), running: end === null },
    ...{ outcome: said?.outcome ?? null, because: said?.because ?? null, remedy: said?.remedy ?? null },
    symptoms: z.array(z.string()).safeParse(end?.body.symptoms ?? row.body.symptoms).data ?? [],
    ...{ requestedBy: `${row.actor.kind} ${row.actor.name}`, reason: row.reason, startedAt: row.at },
    tookMs: (end ? Date.parse(end.at) : Date.now()) - Date.parse(row.at),
    promises: said?.promises ?? [],
    end: said ? (end?.body as unknown as FixEnd) : null,
  };
};

/** `latest`, or nothing, is the one that started last. */
export const fixOf = async (context: Context, { fix = 'latest', service }: FixChoice): Promise<ListedFix> => {
  if (fix !== 'latest' && !FIX_ID.test(fix)) {
    throw new PawlError('Usage', `"${fix}" is no fix: expected an id such as fx_2026_11_21_001, or latest.`, {
      hint: '`pawl fix ls` lists them.',
    });
  }
  const found = (await listFixes(context, service)).filter((one) => fix === 'latest' || one.fix === fix);
  const [first] = found;
  if (!first) throw new PawlError('NotFound', fix === 'latest' ? 'There was no fix yet.' : `There is no fix ${fix}.`);
  const owners = [...new Set(found.map((one) => one.service))];
  if (fix === 'latest' || owners.length === 1) return first;
  throw new PawlError('Usage', `Several services have a fix ${fix}: ${owners.join(', ')}.`, {
    hint: `Say which one: --service ${first.service}`,
  });
};

type RunFix = (input: FixInput) => Promise<FixEnd>;

/** null where Temporal does not know it any more: then the ledger's rows are all there is. */
export const fixStatusOf = (context: Context, workflowId: string): Promise<FixStatus | null> =>
  context.ask('asking the fix', async (client) => {
    try {
      return await client.workflow.getHandle<RunFix>(workflowId).query(fixStatusQuery);
    } catch (cause) {
      if (cause instanceof WorkflowNotFoundError) return null;
      throw cause;
    }
  });

export const waitForFix = (context: Context, { fix, workflowId }: { fix: string; workflowId: string }) =>
  context.out.progress(`${fix} mends`, async () => {
    const { client } = await context.temporal();
    return client.workflow.getHandle<RunFix>(workflowId).result();
  });

export const tellFix = <M>(
  context: Context,
  { fix, workflowId }: Pick<ListedFix, 'fix' | 'workflowId'>,
  update: UpdateDefinition<Answer, [M]>,
  message: M,
): Promise<Answer> =>
  context.ask(`waiting for ${fix}`, async (client) => {
    try {
      return await client.workflow.getHandle(workflowId).executeUpdate(update, { args: [message] });
    } catch (cause) {
      if (!(cause instanceof WorkflowNotFoundError)) throw cause;
      throw new PawlError('NotFound', `${fix} does not run any more.`, {
        hint: `\`pawl fix show ${fix}\` shows how it ended.`,
        cause,
      });
    }
  });
