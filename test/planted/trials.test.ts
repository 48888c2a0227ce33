/** Bugs in the trials in live traffic: how they end, what they put back, what their cycle makes of it. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll } from 'vitest';
import type { AbPlan } from '../../contracts/ab.ts';
import { canaryWorkflowId } from '../../contracts/ids.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import { eventually } from '../../drills/eventually.ts';
import { dataConverter } from '../../infra/temporal/data-converter.ts';
import { looking, quickAb } from '../support/ab.ts';
import { canaryPlan, measured } from '../support/canary.ts';
import { temporalBinary } from '../support/temporal.ts';
import { cycleChecked } from './cycle-scene.ts';
import { describePlants, type Plant } from './plant.ts';
import { SERVICE } from './store-scene.ts';

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

const CANARY = 'workflows/canary/canary.ts';
const AB = 'workflows/ab/evaluation.ts';
const canary = canaryPlan([{ weight: 0.1 }, { analysis: 'errors' }]);
const ab: AbPlan = { ...quickAb, minimumMs: 0, phaseMs: 50, ramp: [0.1, 0.5] };
/** Too few at the first look to decide anything, so that the challenger comes to its second share. */
const fewAtFirst = (seen: number, share: number) => ({ challenger: 0.6, perLook: (seen === 0 ? 10 : 400) / share });

const goesBack = cycleChecked(() => server, { plan: { canary }, canary: { measureCanary: measured(0.5) } });

const isBetter = cycleChecked(() => server, {
  plan: { ab, canary },
  ab: ({ control }) => ({ lookAtArms: looking(control, fewAtFirst) }),
});
const doesHarm = cycleChecked(() => server, {
  plan: { ab, canary },
  ab: ({ control }) => ({ lookAtArms: looking(control, { challenger: 0.1 }) }),
});

/** Somebody terminates a canary in Temporal once its challenger is champion. */
const isLost = cycleChecked(
  () => server,
  { plan: { canary: { ...canary, hooks: [silentHook()] } }, canary: { callHook: () => new Promise(() => {}) } },
  async ({ store, started }) => {
    await eventually(
      () => store.control.state(SERVICE),
      (state) => state?.champion === store.challenger,
    );
    await server.client.workflow.getHandle(canaryWorkflowId(SERVICE, started.cycle)).terminate('by hand');
    return [];
  },
);

/** Asked after the promotion, and never answering: so the canary stands between its promotion and its end. */
function silentHook() {
  const runs = { url: 'http://127.0.0.1:9/' };
  return { name: 'silent', at: 'after', runs, timeoutMs: 600_000, decides: false } as const;
}

const plants: readonly Plant[] = [
  {
    bug: 'a canary that does not put traffic back',
    edits: [
      {
        file: CANARY,
        from: 'const answer = await this.route.back();',
        to: "const answer = { outcome: 'done' } as never;",
      },
    ],
    run: goesBack,
    foundBy: 'a trial leaves the traffic that its end tells of',
  },
  {
    bug: 'a canary that tells the ledger nothing of its end',
    edits: [{ file: CANARY, from: 'await this.#note(final);', to: '' }],
    run: goesBack,
    foundBy: 'a canary that has moved traffic ends exactly once',
  },
  {
    bug: 'an evaluation that tells the ledger nothing of its end',
    edits: [{ file: AB, from: 'await this.#noteEnd({ ...final, traffic });', to: '' }],
    run: doesHarm,
    foundBy: 'an A/B evaluation that was started ends exactly once',
  },
  {
    bug: 'an evaluation that does not put traffic back',
    edits: [{ file: AB, from: "'better' ? 'as it is' : await this.#undo()", to: "'better' ? 'as it is' : 'as it is'" }],
    run: doesHarm,
    foundBy: 'a trial leaves the traffic that its end tells of',
  },
  {
    bug: 'an evaluation that puts traffic back after it has told its end',
    edits: [
      { file: AB, from: "'better' ? 'as it is' : await this.#undo()", to: "'could not wait'" },
      {
        file: AB,
        from: 'await this.#noteEnd({ ...final, traffic });',
        to: 'await this.#noteEnd({ ...final, traffic });\n    await this.#undo();',
      },
    ],
    run: doesHarm,
    foundBy: 'a trial that has ended moves nothing',
  },
  {
    bug: 'a ramp that is gone down',
    edits: [
      {
        file: 'workflows/ab/memory.ts',
        from: 'ramp[phase] ?? ramp.at(-1) ?? 0;',
        to: '[...ramp].reverse()[phase] ?? 0;',
      },
    ],
    run: isBetter,
    foundBy: 'an A/B evaluation gives its challenger more from step to step',
  },
  {
    bug: 'a cycle that forgets the promotion of a canary that was lost',
    edits: [{ file: 'workflows/cycle/trials.ts', from: 'found?.promoted === challenger;', to: 'found === undefined;' }],
    run: isLost,
    foundBy: 'a cycle promotes exactly when it says so',
  },
];

describePlants('in trials,', plants);
