import type { CycleEnd, CycleInput } from '../contracts/messages.ts';
import type { Watching } from '../contracts/stages.ts';
import { Cycle } from './cycle/cycle.ts';
import { changeTraffic, restoreTraffic, trafficLane } from './cycle/traffic.ts';
import { evaluated, promoted, trialOf } from './cycle/trials.ts';
import { work } from './cycle/work.ts';

/** How often the challenger is looked at while it is watched, not sooner than so, and how much longer without data. */
const LOOKS = 5;
const BETWEEN_LOOKS_MS = 2_000;
const PATIENCE = 3;

/** One pass of the loop: from a breach to a promotion, or to a reason why not. */
export async function improvementCycle(input: CycleInput): Promise<CycleEnd> {
  const cycle = new Cycle(input); // approve, reject, abort, kill, pause are handled from here on
  return cycle.run(() => pass(cycle, input));
}

const pass = async (cycle: Cycle, input: CycleInput): Promise<CycleEnd> => {
  const { plan, champion } = input;

  const { findings } = await cycle.stage('monitor', () => work(input, 'monitor', {}));
  const breached = findings.some(({ state }) => state === 'breach');
  if (!breached && input.request.trigger !== 'hand') return cycle.ended('kept', 'no gate is breached');

  const diagnosis = await cycle.stage('diagnose', () => work(input, 'diagnose', { findings }));
  if (plan.mode === 'observe') return cycle.ended('kept', `mode observe: ${diagnosis.summary}`);

  const { dataset } = await cycle.stage('augment', () => work(input, 'augment', { diagnosis: diagnosis.evidence }));
  const { challenger, summary } = input.request.challenger
    ? { challenger: input.request.challenger, summary: 'what was given is the champion' }
    : await cycle.stage('train', () => work(input, 'train', { dataset }));
  if (challenger === null || challenger === champion) return cycle.ended('rejected', `nothing to try: ${summary}`);

  const offline = await cycle.stage('evaluate', () => work(input, 'evaluate', { dataset, challenger }));
  if (offline.verdict !== 'better') return cycle.ended('rejected', offline.reasons.join('; '), challenger);
  if (plan.mode === 'advise') return cycle.ended('kept', `mode advise: ${offline.summary}`, challenger);

  const subject = { variant: challenger, evidence: offline.evidence.sha256, summary: offline.summary };
  const approval = await cycle.approval('approve', subject);
  if (approval.decision !== 'approved')
    return cycle.ended(approval.decision, `${approval.reason} (${approval.by})`, challenger);

  const lane = await trafficLane(cycle, input);
  if (!lane.granted) return cycle.refused('the traffic lane', lane.because, challenger);
  if (lane.champion !== champion)
    return cycle.ended('rejected', 'the champion has changed since the evaluation', challenger);

  cycle.undoing(() => restoreTraffic(input, lane));
  const trial = trialOf(input, lane, { challenger, evidence: offline.evidence.sha256 });
  const decided = await evaluated(cycle, input, trial);
  if (decided) return decided;
  if (plan.canary) return promoted(cycle, input, trial, offline.reasons.join('; '));

  const { share } = plan.deploy;
  const deployed = await changeTraffic(cycle, input, lane, 'deploy', [
    { variant: champion, share: 1 - share },
    { variant: challenger, share },
  ]);
  if (deployed.outcome === 'refused') return cycle.refused('deploy', deployed.why ?? deployed.because, challenger);

  const watched = await cycle.stage('watch', () => watch(cycle, input, challenger));
  if (watched.state !== 'healthy') return cycle.ended('rolled back', watched.reasons.join('; '), challenger);

  const shifted = await changeTraffic(cycle, input, lane, 'promote', [{ variant: challenger, share: 1 }], challenger);
  if (shifted.outcome === 'refused') return cycle.refused('promotion', shifted.why ?? shifted.because, challenger);
  return cycle.settle(cycle.ended('promoted', offline.reasons.join('; '), challenger));
};

/** Looks now and then. What is worse ends it at once; what shows no data gets more time, and never passes. */
const watch = async (cycle: Cycle, input: CycleInput, challenger: string): Promise<Watching> => {
  const since = new Date().toISOString();
  const { forMs } = input.plan.watch;
  const looks = Math.max(1, Math.min(LOOKS, Math.floor(forMs / BETWEEN_LOOKS_MS)));
  for (let look = 1; ; look++) {
    const passed = await cycle.pass('watch', forMs / looks);
    const seen = await work(input, 'watch', { challenger, since }, look);
    const over = passed === 'skipped' || look >= (seen.state === 'no data' ? looks * PATIENCE : looks);
    if (seen.state === 'degraded' || over) return seen;
  }
};
