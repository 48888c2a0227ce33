import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import type { RecordedRun } from './histories.ts';

// What does not replay is asserted on; the worker's own words about it would fill the output.
Runtime.install({
  logger: new DefaultLogger('ERROR', () => undefined),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

type Bundle = { readonly codePath: string } | { readonly code: string };

/** What went wrong with each run when this code replayed it; null where nothing did. */
export const replayed = async (
  workflowBundle: Bundle,
  runs: readonly RecordedRun[],
): Promise<ReadonlyMap<string, Error | null>> => {
  const results = new Map<string, Error | null>();
  const histories = runs.map(({ workflowId, history }) => ({ workflowId, history }));
  const names = runs.map(({ name }) => name).values();
  for await (const { error } of Worker.runReplayHistories({ workflowBundle, dataConverter }, histories)) {
    results.set(names.next().value ?? '', error ?? null);
  }
  return results;
};
