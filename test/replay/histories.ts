/** The recorded histories: one file a run, named by workflow type and path, and one line an event. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));

export interface RecordedRun {
  /** `improvementCycle-promoted`; a path of several runs has `-1`, `-2` … behind it. */
  readonly name: string;
  readonly path: string;
  readonly workflowType: string;
  readonly workflowId: string;
  readonly history: { readonly events: readonly unknown[] };
}

export const recordedRuns = (): RecordedRun[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const history = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'));
      const { workflowType, workflowId } = history.events[0].workflowExecutionStartedEventAttributes;
      const name = file.replace(/\.json$/, '');
      return { name, path: name.replace(/-\d+$/, ''), workflowType: workflowType.name, workflowId, history };
    });

/** Replaces what was recorded of this path before. */
export const writeHistories = async (path: string, runs: readonly WorkflowHandle[]): Promise<void> => {
  const histories = await Promise.all(runs.map(async (run) => readable(historyToJSON(await run.fetchHistory()))));
  for (const old of recordedRuns().filter((run) => run.path === path)) rmSync(`${folder}${old.name}.json`);
  histories.forEach((history, n) => {
    writeFileSync(`${folder}${histories.length === 1 ? path : `${path}-${n + 1}`}.json`, history);
  });
};

/** What tells of the machine it was recorded on is left out; no replay needs it. */
const readable = (json: string): string => {
  const { events } = JSON.parse(json, (key, value) =>
    key === 'stackTrace' ? '' : typeof value === 'string' && PROCESS.test(value) ? 'recorded' : value,
  );
  return `{"events":[\n${events.map((event: unknown) => JSON.stringify(event)).join(',\n')}\n]}\n`;
};

/** A worker's identity, and the name of the sticky queue that is made of it. */
const PROCESS = /^\d+@/;
