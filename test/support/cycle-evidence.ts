/** The evidence of a cycle as the built-in stages leave it, on a small service: from a breach to a promotion. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { onTestFinished } from 'vitest';
import { createEvidenceActivities } from '../../activities/evidence.ts';
import { createStageActivities } from '../../activities/stages.ts';
import { ledgerSigner } from '../../adapters/evidence/ledger-signer.ts';
import { homePaths } from '../../adapters/home.ts';
import type { SealOrder } from '../../contracts/evidence.ts';
import { cycleWorkflowId } from '../../contracts/ids.ts';
import type { Arm } from '../../contracts/traffic.ts';
import { testPlan } from './plan.ts';
import { NOW, SERVICE, type SearchService, searchService } from './search-service.ts';

export const CYCLE = 'si_2026_11_21_001';
const QUALITY = {
  ...{ name: 'quality', metric: 'ndcg', rule: { drop: 0.03 } },
  ...{ samples: 10, windowMs: 60_000, withinMs: 1 },
};
const SPEED = { ...QUALITY, name: 'speed', metric: 'latency', rule: { above: 800 }, windowMs: 30_000 };
export const PLAN = testPlan({ gates: [QUALITY, SPEED], training: { trials: 14, seconds: 60, seed: 7 } });

export interface CycleEvidence {
  readonly service: SearchService;
  readonly order: SealOrder;
  readonly challenger: string;
  readonly seal: ReturnType<typeof createEvidenceActivities>['sealEvidence'];
  /** Notes the end of the cycle, as the workflow does, with what sealing answered. */
  end(order?: SealOrder): Promise<void>;
}

export const cycleEvidence = async (): Promise<CycleEvidence> => {
  const service = await searchService();
  const { deps, champion } = service;
  onTestFinished(() => deps.control.close());
  const stages = createStageActivities(deps);
  const run = <I, O>(activity: (input: I) => Promise<O>, input: I): Promise<O> =>
    new MockActivityEnvironment().run<[I], O, (input: I) => Promise<O>>(activity, input);
  const of = (stage: Parameters<SearchService['input']>[0]) => ({ ...service.input(stage), plan: PLAN });

  const reading = { value: 0.9, n: 100, low: 0.89, high: 0.91 };
  const [from, to] = [new Date(NOW - 1).toISOString(), new Date(NOW).toISOString()];
  const vitals = { service: SERVICE, variant: champion, from, to, readings: { ndcg: reading } };
  await deps.control.setBaseline({ key: 'baseline', variant: champion, vitals });
  service.serve(served(champion, 3));

  const monitored = await run(stages.findBreach, of('monitor'));
  const diagnosed = await run(stages.diagnose, { ...of('diagnose'), findings: monitored.findings });
  const augmented = await run(stages.augment, { ...of('augment'), diagnosis: diagnosed.evidence });
  const trained = await run(stages.train, { ...of('train'), dataset: augmented.dataset });
  const challenger = trained.challenger ?? '';
  const evaluated = await run(stages.evaluate, { ...of('evaluate'), dataset: augmented.dataset, challenger });
  service.serve(served(challenger, 0));
  const since = new Date(NOW - 5_000).toISOString();
  const watched = await run(stages.watch, { ...of('watch'), challenger, since });
  const because = evaluated.reasons.join('; ');
  const lesson = { outcome: 'promoted', because, challenger, evaluation: null, watching: null };
  const learnt = await run(stages.learn, { ...of('learn'), ...lesson });

  const order: SealOrder = {
    ...{ service: SERVICE, cycle: CYCLE, plan: PLAN, champion },
    end: { outcome: 'promoted', because, challenger, champion: challenger },
    evidence: {
      monitor: monitored.evidence,
      diagnose: diagnosed.evidence,
      augment: augmented.evidence,
      train: trained.evidence,
      evaluate: evaluated.evidence,
      watch: watched.evidence,
      learn: learnt.evidence,
    },
    done: ['monitor', 'diagnose', 'augment', 'train', 'evaluate', 'deploy', 'watch', 'promote', 'learn'],
    approvals: [],
    request: { trigger: 'gate', requestedBy: { kind: 'schedule', name: 'hourly' }, reason: 'a look at the gates' },
  };
  await moveTraffic(service, challenger);

  const { control, evidence } = homePaths(service.config.folder);
  const { sealEvidence } = createEvidenceActivities({
    ...deps,
    evidenceFolder: evidence,
    signer: () => ledgerSigner(deps.control, control),
  });
  const end = async (given = order): Promise<void> => {
    const sealed = await sealEvidence(given);
    const actor = { kind: 'cycle', name: CYCLE };
    const key = `${cycleWorkflowId(SERVICE, CYCLE)}/end`;
    const body = { ...given.end, evidence: given.evidence, promises: [], approvals: given.approvals, sealed };
    const row = { key, service: SERVICE, cycle: CYCLE, kind: 'cycle ended', actor, reason: given.end.because, body };
    await deps.control.note(row);
  };
  return { service, order, challenger, seal: sealEvidence, end };
};

/** As the cycle does it: armed, with the lane, a share first and then everything. */
const moveTraffic = async ({ deps: { control }, champion }: SearchService, challenger: string): Promise<void> => {
  const of = { service: SERVICE, actor: { kind: 'cycle', name: CYCLE }, cycle: CYCLE };
  const workflow = cycleWorkflowId(SERVICE, CYCLE);
  const { cycle: _, ...person } = { ...of, actor: { kind: 'person', name: 'ada' }, reason: 'a test' };
  await control.setGold({ ...person, key: 'gold', variant: champion });
  await control.arm({ ...person, key: 'arm' });
  const granted = await control.grant({ ...of, key: `${workflow}/lane`, reason: 'the lane is free' });
  if (granted.outcome !== 'done') throw new Error(granted.because);
  const { epoch, promotion } = granted.state;
  const shift = (reason: string, arms: readonly Arm[], more = {}) =>
    control.shift({ ...of, key: `${workflow}/${reason}`, reason, token: { epoch, promotion }, arms, ...more });
  await shift('deploy', [
    { variant: champion, share: 0.5 },
    { variant: challenger, share: 0.5 },
  ]);
  await shift('promote', [{ variant: challenger, share: 1 }], { champion: challenger });
};

/** Traffic of judged queries, each answered by its document at this place. */
const served = (variant: string, place: number) =>
  Array.from({ length: 60 }, (_, at) => {
    const noun = ['buffer', 'token', 'timer', 'page'][at % 4];
    const ranked = [...Array.from({ length: place }, (_, n) => `other-${n}`), `read-${noun}`];
    return { variant, query: `How to READ the ${noun}s here?`, ranked };
  });
