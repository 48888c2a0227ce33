/** A schedule as pawl.yaml declares it, as Temporal takes it. */
import { type ScheduleOptions, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ServiceConfig } from '../contracts/config.ts';
import type { TriggerInput } from '../contracts/guardian.ts';
import { scheduleId, triggerId } from '../contracts/ids.ts';
import { queues } from '../contracts/queues.ts';
import { attributesOf } from '../contracts/search-attributes.ts';
import { canonicalJson } from '../domain/canonical-json.ts';

export type Declaration = ServiceConfig['schedules'][number];

/** Raise it when the same declaration makes another schedule: all of them are then updated. */
const FORM = 1;
/** Under this name in the memo of what a schedule starts stands the declaration that it was made from. */
export const DECLARED = 'declared';

export const declared = (declaration: Declaration): string => canonicalJson({ form: FORM, ...declaration });

export const scheduleOptions = (service: string, declaration: Declaration) => {
  const { name, cron, every, starts, paused, reason } = declaration;
  const input: TriggerInput = {
    ...{ service, trigger: 'schedule', reason, requestedBy: { kind: 'schedule', name } },
    ...(starts === 'fix' && { kind: 'fix' }),
  };
  return {
    scheduleId: scheduleId(service, name),
    spec: {
      ...(cron === undefined ? {} : { cronExpressions: [cron] }),
      ...(every === undefined ? {} : { intervals: [{ every }] }),
    },
    action: {
      type: 'startWorkflow',
      workflowType: 'trigger',
      workflowId: triggerId(service, name),
      taskQueue: queues.control,
      args: [input],
      memo: { [DECLARED]: declared(declaration) },
      typedSearchAttributes: attributesOf({ service }),
      staticSummary: `${service}: ${reason}`.slice(0, 200),
    },
    policies: {
      // A trigger that still waits for its guardian is the same question: a second one would only be refused.
      overlap: ScheduleOverlapPolicy.SKIP,
      // A look at the vitals that was missed is not made up for: the next one sees the same window, only later.
      catchupWindow: '1 minute',
    },
    state: { paused, ...(paused ? { note: 'declared as paused' } : {}) },
  } satisfies ScheduleOptions;
};
