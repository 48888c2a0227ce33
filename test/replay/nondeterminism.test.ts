/** Changes that alter the sequence of commands: each must be caught by a history that walks over the place. */
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, test } from 'vitest';
import { recordedRuns } from './histories.ts';
import { bundleWith, type Edit } from './planting.ts';
import { replayed } from './replaying.ts';

interface Plant {
  readonly what: string;
  readonly edits: readonly Edit[];
  /** A run that walks over the place. */
  readonly caughtBy: string;
}

const plants: readonly Plant[] = [
  {
    what: 'a timer before a stage',
    edits: [
      [
        "const { dataset } = await cycle.stage('augment'",
        "await cycle.pass('diagnose', 1_000);\n  const { dataset } = await cycle.stage('augment'",
      ],
    ],
    caughtBy: 'improvementCycle-promoted',
  },
  {
    what: 'an activity more',
    edits: [
      ['const ended = await ask.findEnded(', 'await this.#self.adopt();\n    const ended = await ask.findEnded('],
    ],
    caughtBy: 'guardian-terminated-cycle',
  },
  {
    what: 'an activity less',
    edits: [['await this.#learn(end);', '']],
    caughtBy: 'improvementCycle-rejected-by-evaluation',
  },
  {
    what: "two stages in each other's place",
    edits: [
      [
        "cycle.stage('diagnose', () => work(input, 'diagnose', ",
        "cycle.stage('augment', () => work(input, 'augment', ",
      ],
      [
        "cycle.stage('augment', () => work(input, 'augment', { diagnosis:",
        "cycle.stage('diagnose', () => work(input, 'diagnose', { diagnosis:",
      ],
    ],
    caughtBy: 'improvementCycle-advise',
  },
  {
    what: 'a child workflow instead of an activity',
    edits: [["if (plan.runs === 'workflow') {", "if (plan.runs === 'workflow' || stage === 'diagnose') {"]],
    caughtBy: 'improvementCycle-observe',
  },
  {
    what: 'search attributes that are no longer set',
    edits: [['upsertSearchAttributes([{ key: searchAttributes.stage, value: stage }]);', '']],
    caughtBy: 'improvementCycle-kept',
  },
  {
    what: 'a timer after the look instead of before it',
    edits: [
      ["const passed = await cycle.pass('watch', forMs / looks);\n", ''],
      [
        '{ challenger, since }, look);\n',
        "{ challenger, since }, look);\n    const passed = await cycle.pass('watch', forMs / looks);\n",
      ],
    ],
    caughtBy: 'improvementCycle-rolled-back-degraded',
  },
  {
    what: 'a report that the guardian does not get',
    edits: [['await tell(guardianId(service), messages.reportSignal, { cycle, end });', '']],
    caughtBy: 'improvementCycle-failed-stage',
  },
  {
    what: 'a row of the ledger that is not written',
    edits: [['await store.note({ entries })', 'undefined']],
    caughtBy: 'guardian-paused-and-resumed',
  },
  {
    what: 'a second reminder that does not come',
    edits: [['n * remindMs < expiresMs; n++', 'n < 2 && n * remindMs < expiresMs; n++']],
    caughtBy: 'improvementCycle-reminded-and-escalated',
  },
  {
    what: 'a quorum that is not waited for',
    edits: [['if (approvals.length < quorum) {', 'if (approvals.length < quorum - 1) {']],
    caughtBy: 'improvementCycle-approved-by-two',
  },
  {
    what: 'people who are told although the plan does not say so',
    edits: [['if (!plan.notify) return;', '']],
    caughtBy: 'improvementCycle-approved-by-token',
  },
  {
    what: 'a row less where people could not be told',
    edits: [
      [
        "await store.note({ entries: [{ ...row, actor: { kind: 'cycle', name: cycle }, reason: reasonOf(error) }] });",
        'void row;',
      ],
    ],
    caughtBy: 'improvementCycle-notice-failed',
  },
  {
    what: "a branch that hangs on the machine's clock",
    edits: [
      [
        'const { reason, trigger, requestedBy, token, challenger } = input;',
        'const { reason, trigger, requestedBy, token, challenger } = input;\n  if (workflowInfo().unsafe.now() - Date.now() > 60_000) await store.readState({ service });',
      ],
    ],
    caughtBy: 'trigger-admitted',
  },
  {
    what: 'guardians that are no longer told of a kill of the fleet',
    edits: [['await Promise.all(services.map((service) => tell(', 'await Promise.all([].map((service) => tell(']],
    caughtBy: 'killSwitch-killed-and-rearmed',
  },
  {
    what: 'an A/B evaluation that gives a share before it knows what it may spend',
    edits: [
      [
        '    await run.begin();\n    const refused = await run.giveFirstShare();',
        '    const refused = await run.giveFirstShare();\n    await run.begin();',
      ],
    ],
    caughtBy: 'abEvaluation-better',
  },
  {
    what: 'traffic that an A/B evaluation does not put back',
    edits: [
      ["const traffic = end.outcome === 'better' ? 'as it is' : await this.#undo();", "const traffic = 'as it is';"],
    ],
    caughtBy: 'abEvaluation-harm',
  },
  {
    what: 'a canary that does not read the router back',
    edits: [['return (await route.shows()) ? ', 'return true ? ']],
    caughtBy: 'canaryPromotion-promoted',
  },
  {
    what: 'a canary that promotes on too little',
    edits: [['if (floor === 0) return [];', 'if (floor >= 0) return [];']],
    caughtBy: 'canaryPromotion-held-by-floor',
  },
  {
    what: 'a fix that does not look before it acts',
    edits: [['if (request.only || gates.length === 0) return null;', 'if (gates.length >= 0) return null;']],
    caughtBy: 'remediation-remedied',
  },
  {
    what: 'a watch that looks once more after its time',
    edits: [
      [
        'if (!watch.goesBack && Date.now() >= untilMs) return watch.atEnd();',
        'if (!watch.goesBack && Date.now() >= untilMs + 60_000) return watch.atEnd();',
      ],
    ],
    caughtBy: 'promotionWatch-passed',
  },
];

const runs = recordedRuns();
const runsNamed = (names: readonly string[]) => runs.filter(({ name }) => names.includes(name));

test('a copy of the code in which nothing is changed replays', async () => {
  const results = await replayed(await bundleWith([]), runsNamed(plants.map(({ caughtBy }) => caughtBy)));
  expect([...results.keys()].sort()).toEqual(plants.map(({ caughtBy }) => caughtBy).sort());
  expect([...results.values()].filter((error) => error !== null)).toEqual([]);
});

describe('the recorded histories catch', () => {
  test.for(plants)('$what', async ({ edits, caughtBy }) => {
    const results = await replayed(await bundleWith(edits), runsNamed([caughtBy]));
    expect(results.get(caughtBy)).toBeInstanceOf(DeterminismViolationError);
  });
});
