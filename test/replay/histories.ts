/** The recorded histories: one file a run, named by workflow type and path. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';

const folder = fileURLToPath(new URL('../histories/', import.meta.url));

export interface RecordedRun {
  /** `improvementCycle-promoted`; a path of several runs has `-1`, `-2` … behind it. */
  readonly name: string;
  readonly workflowType: string;
  readonly history: unknown;
}

export const recordedRuns = (): RecordedRun[] =>
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const history = JSON.parse(readFileSync(`${folder}${file}`, 'utf8'));
      const started = history.events[0].workflowExecutionStartedEventAttributes;
      return { name: file.replace(/\.json$/, ''), workflowType: started.workflowType.name, history };
    });

/** The path that a run belongs to. */
export const pathOf = ({ name }: RecordedRun): string => name.replace(/-\d+$/, '');

/** Replaces what was recorded of this path before. */
export const writeHistories = async (path: string, runs: readonly WorkflowHandle[]): Promise<void> => {
  const histories = await Promise.all(runs.map((run) => run.fetchHistory()));
  for (const old of recordedRuns().filter((run) => pathOf(run) === path)) rmSync(`${folder}${old.name}.json`);
  histories.forEach((history, n) => {
    const name = histories.length === 1 ? path : `${path}-${n + 1}`;
    writeFileSync(`${folder}${name}.json`, `${historyToJSON(history)}\n`);
  });
};
