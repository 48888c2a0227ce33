/** A cycle with an A/B evaluation and a canary, on a service that runs as `pawl up` runs it and is asked all the time. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { homePaths } from '../../adapters/home.ts';
import { violationsOf } from '../../check/check.ts';
import { abStatusQuery, lookUpdate } from '../../contracts/ab-messages.ts';
import { canaryStatusQuery } from '../../contracts/canary-messages.ts';
import { abWorkflowId, canaryWorkflowId } from '../../contracts/ids.ts';
import { eventually } from '../../drills/eventually.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { type LiveService, startLiveService } from '../support/live-service.ts';
import { replayEverything } from '../support/replay-everything.ts';
import { workflowBundle } from '../support/temporal.ts';

const LOOK = 'every: 1s, count: 2, delay: 8s, window: 30s, samples: 5';
const settings = {
  ab: '{ ramp: [50%], phase: 0s, look: 1m, window: 500ms, before: 0s, minimum: 0s, maximum: 1h, wholeWeek: false, gain: 0%, guardrails: { errors: 300% }, planned: 100, fewest: 5 }',
  canary: `{ steps: [{ weight: 50% }, { analysis: quick }], background: null, floor: 10, analyses: { quick: { measures: [{ name: errors, metric: errors, failure: "result.low > baseline.high + 5%", ${LOOK} }, { name: ndcg, metric: ndcg, failure: "result.high < baseline.low", ${LOOK} }] } } }`,
};

const PAWL = join(import.meta.dirname, '../../cli/main.ts');

let live: LiveService;
beforeAll(async () => {
  live = await startLiveService({ settings });
});
afterAll(async () => {
  await replayEverything(live.client, workflowBundle());
  await live.end();
});

test('subjects are dealt and counted, the better variant is shown as such, goes through its canary and serves', async () => {
  const before = await live.control.state(SERVICE);
  const cycle = await live.startCycle();
  const ab = live.client.workflow.getHandle(abWorkflowId(SERVICE, cycle.cycle));
  const canary = live.client.workflow.getHandle(canaryWorkflowId(SERVICE, cycle.cycle));
  await eventually(
    async () => (await live.control.state(SERVICE))?.arms.length ?? 0,
    (arms) => arms === 2,
  );

  const seen = await eventually(
    async () => {
      await ab.executeUpdate(lookUpdate).catch(() => undefined);
      return ab.query(abStatusQuery);
    },
    ({ end }) => end !== null,
  );
  expect(seen).toMatchObject({ end: { outcome: 'better' }, finding: { crossed: 0 } });
  const [estimate] = seen.finding?.estimates ?? [];
  expect(estimate).toMatchObject({ metric: 'ndcg', relative: { low: expect.any(Number) } });
  expect(estimate?.relative?.low).toBeGreaterThan(0);

  const end = await live.endOf(cycle);
  expect(end).toMatchObject({ outcome: 'promoted' });
  expect(await canary.query(canaryStatusQuery)).toMatchObject({ end: { outcome: 'promoted' }, weight: 1 });
  const after = await live.control.state(SERVICE);
  expect(after?.champion).toBe(end.challenger);
  expect(after?.champion).not.toBe(before?.champion);
  const left = readdirSync(join(homePaths(live.home).evidence, SERVICE, cycle.cycle));
  expect(left).toEqual(expect.arrayContaining(['ab_test_results.json', 'canary_report.json', 'helm_patch.yaml']));
  expect(violationsOf(live.home)).toEqual([]);
  // Every decision comes out of the evidence once more, that of the A/B evaluation among them.
  const said = await promisify(execFile)(process.execPath, [PAWL, 'cycle', 'replay', cycle.cycle, '--json'], {
    env: { PAWL_HOME: live.home, PAWL_TEMPORAL_ADDRESS: live.processes.temporal },
  });
  const decisions = (JSON.parse(said.stdout) as { decisions: Array<{ what: string; agrees: boolean | null }> })
    .decisions;
  expect(decisions.map(({ what }) => what)).toEqual(expect.arrayContaining(['A/B evaluation', 'end']));
  expect(decisions.filter(({ agrees }) => agrees === false)).toEqual([]);
});
