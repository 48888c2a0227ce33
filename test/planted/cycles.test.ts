/** Bugs in the cycle itself: how it ends, what it puts back, whom it asks. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll } from 'vitest';
import { approveUpdate, rejectUpdate } from '../../contracts/messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { eventually } from '../../drills/eventually.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { statusOf } from '../support/requests.ts';
import { evidenceOf } from '../support/stages.ts';
import { temporalBinary } from '../support/temporal.ts';
import { cycleChecked } from './cycle-scene.ts';
import { describePlants, type Plant } from './plant.ts';

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporalBinary() },
      searchAttributes: Object.values(searchAttributes),
    },
    client: { dataConverter },
  });
});
afterAll(() => server.teardown());

const CYCLE = 'workflows/improvement-cycle.ts';

const promoted = cycleChecked(() => server, {});

const rolledBack = cycleChecked(() => server, {
  stages: {
    watch: async () => ({ summary: 'worse', evidence: evidenceOf(''), state: 'degraded', reasons: ['it was worse'] }),
  },
});

/** Two people must approve, and one does so twice; then somebody rejects. */
const approvedTwiceByOne = cycleChecked(
  () => server,
  { plan: { approval: { expiresMs: 600_000, quorum: 2 } } },
  async ({ started: { handle }, sign }) => {
    const { approval } = await eventually(
      () => statusOf(handle),
      (status) => status.approval !== null,
    );
    const { step = 'approve', variant = '', evidence = '' } = approval ?? {};
    const workflow = handle.workflowId;
    const approve = () => ({ token: sign({ action: 'approve', workflow, step, variant, evidence }) });
    const first = await handle.executeUpdate(approveUpdate, { args: [approve()] });
    await handle.executeUpdate(approveUpdate, { args: [approve()] });
    // Too late where the second approval counted.
    await handle.executeUpdate(rejectUpdate, { args: [{ by: 'ben', reason: 'not yet' }] }).catch(() => undefined);
    return first.accepted ? [] : [`seen: an approval that was refused: ${first.because}`];
  },
);

const plants: readonly Plant[] = [
  {
    bug: 'a cycle that does not tell the ledger that it ended',
    edits: [
      {
        file: 'workflows/cycle/cycle.ts',
        from: 'await store.note({\n      entries: [',
        to: 'void ({\n      entries: [',
      },
    ],
    run: promoted,
    foundBy: 'every admitted cycle ends exactly once',
  },
  {
    bug: 'a promotion that moves the traffic and makes no champion',
    edits: [
      {
        file: CYCLE,
        from: "'promote', [{ variant: challenger, share: 1 }], challenger);",
        to: "'promote', [{ variant: challenger, share: 1 }]);",
      },
    ],
    run: promoted,
    foundBy: 'a cycle promotes exactly when it says so',
  },
  {
    bug: 'a promotion whatever was seen in live traffic',
    edits: [
      {
        file: CYCLE,
        from: "if (watched.state !== 'healthy') return cycle.ended('rolled back', watched.reasons.join('; '), challenger);",
        to: '',
      },
    ],
    run: rolledBack,
    foundBy: 'a promotion rests on evidence that says so',
  },
  {
    bug: 'a rollback that is not done',
    edits: [{ file: CYCLE, from: 'cycle.undoing(() => restoreTraffic(input, lane));', to: '' }],
    run: rolledBack,
    foundBy: 'a cycle that does not promote leaves nothing on trial',
  },
  {
    bug: 'a rollback to what serves now instead of what served before',
    edits: [
      {
        file: CYCLE,
        from: 'cycle.undoing(() => restoreTraffic(input, lane));',
        to: 'cycle.undoing(() => restoreTraffic(input, { ...lane, arms: [{ variant: challenger, share: 1 }] }));',
      },
    ],
    run: rolledBack,
    foundBy: 'a cycle that does not promote leaves nothing on trial',
  },
  {
    bug: 'a quorum that counts one person twice',
    edits: [
      {
        file: 'workflows/cycle/approvals.ts',
        from: 'if (about.approvedBy.includes(person)) return refused(',
        to: "if (person === '') return refused(",
      },
      // The policy would not let the same person approve again, nor a promotion through without two people.
      {
        file: 'infra/policies/conditions.cedar',
        from: 'unless { !context.approvedBy.contains(principal.name) };',
        to: 'unless { !context.approvedBy.contains("") };',
      },
      {
        file: 'activities/permission.ts',
        from: 'return new Set(given.map(({ body }) => body.person)).size;',
        to: 'return given.length;',
      },
    ],
    run: approvedTwiceByOne,
    foundBy: 'a promotion has the approvals that its plan asks for',
  },
];

describePlants('in the cycle,', plants);
