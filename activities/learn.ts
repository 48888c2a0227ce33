import type { LearnInput, StageActivities, StageInput, StageResult } from '../contracts/stages.ts';
import type { StageDeps } from './stage-deps.ts';

const DAY_MS = 86_400_000;

export const createLearnActivities = (deps: StageDeps): Pick<StageActivities, 'learn'> => ({
  // Safe to repeat: what is noted depends on the cycle alone, under the stage's key; a baseline that is there stays.
  async learn(input: LearnInput): Promise<StageResult> {
    const { service, cycle, stage, key, outcome, because, champion, challenger, evaluation } = input;
    const promoted = outcome === 'promoted' && challenger !== null;
    const measured = promoted ? await keepPromoted(deps, input, challenger) : await keepFirst(deps, input);
    const lesson = { outcome, because, champion, challenger, evaluation };
    const evidence = await deps.artifacts.putJson({ stage, service, cycle, ...lesson });
    await deps.control.note({
      key: `${key}:learned`,
      service,
      cycle,
      kind: 'learned',
      actor: { kind: 'cycle', name: cycle },
      reason: because,
      body: { ...lesson, evidence },
    });
    const from = measured
      ? ` From now on ${promoted ? 'it' : 'the champion'} is held against what was read of it.`
      : '';
    return { evidence, summary: `${outcome}: ${because}.${from}` };
  },
});

/** A promoted variant is held against its own watch: from the first change of traffic of its cycle to the last. */
async function keepPromoted(
  deps: StageDeps,
  { service, cycle, key }: StageInput,
  challenger: string,
): Promise<boolean> {
  const shifts = (await deps.control.ledger({ service, cycle })).filter(({ kind }) => kind === 'shift');
  const [first, last] = [shifts[0], shifts.at(-1)];
  if (first === undefined || last === undefined) return false;
  const window = { from: Date.parse(first.at), to: Date.parse(last.at) };
  const vitals = await deps.vitals.read({ service, variant: challenger, ...window });
  if (vitals.readings.ndcg === undefined) return false;
  const known = await deps.control.baseline(service, challenger);
  if (known?.from === vitals.from && known.to === vitals.to) return true;
  await deps.control.setBaseline({ key: `${key}:baseline`, variant: challenger, vitals });
  return true;
}

/** A champion without a baseline could never breach a gate on a drop; it gets one once there is enough to read. */
async function keepFirst(deps: StageDeps, { service, champion, key, plan }: StageInput): Promise<boolean> {
  if ((await deps.control.baseline(service, champion)) !== null) return false;
  const quality = plan.gates.find(({ rule }) => 'drop' in rule);
  const to = deps.now();
  const from = to - (quality?.windowMs ?? DAY_MS);
  const vitals = await deps.vitals.read({ service, variant: champion, from, to });
  if ((vitals.readings.ndcg?.n ?? 0) < (quality?.samples ?? 30)) return false;
  await deps.control.setBaseline({ key: `${key}:baseline`, variant: champion, vitals });
  return true;
}
