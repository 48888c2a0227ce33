import { beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../../infra/temporal/bundle.ts';
import * as workflows from '../../workflows/index.ts';
import { recordedRuns } from './histories.ts';
import { pathNames } from './paths.ts';
import { replayed } from './replaying.ts';

const runs = recordedRuns();

describe('the recorded histories', () => {
  test('are those of every path, and of nothing else', () => {
    expect([...new Set(runs.map(({ path }) => path))].sort()).toEqual([...pathNames].sort());
  });

  test.for(Object.keys(workflows))('hold one of the workflow %s', (workflow) => {
    expect(runs.map(({ workflowType }) => workflowType)).toContain(workflow);
  });

  test('are named by the workflow that they are of', () => {
    for (const { name, workflowType } of runs) expect(name.split('-')[0]).toBe(workflowType);
  });

  test('of a workflow that continued as new hold several runs, each but the last handing over to the next', () => {
    const chain = runs.filter(({ path }) => path === 'guardian-continued-as-new');
    expect(chain.length).toBeGreaterThan(2);
    const handsOver = chain.map(({ history }) => JSON.stringify(history.events.at(-1)).includes('CONTINUED_AS_NEW'));
    expect(handsOver).toEqual([...chain.slice(1).map(() => true), false]);
  });
});

describe("today's code replays", () => {
  let results: ReadonlyMap<string, Error | null>;
  beforeAll(async () => {
    results = await replayed({ codePath: await workflowBundle() }, runs);
  });

  test.for(runs.map(({ name }) => name))('%s', (name) => {
    expect(results.get(name)).toBeNull();
  });
});
