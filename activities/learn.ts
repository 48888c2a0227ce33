import { z } from 'zod';
import type { LearnInput, StageActivities, StageInput, StageResult } from '../contracts/stages.ts';
import type { StageDeps } from './stage-deps.ts';

const reading = z.object({ value: z.number(), n: z.number(), low: z.number(), high: z.number() });
/** The part of the built-in watch's evidence that is needed; a watch of the service's own may leave something else. */
const watchEvidence = z.object({
  challenger: z.object({
    service: z.string(),
    variant: z.string().nullable(),
    from: z.string(),
    to: z.string(),
    readings: z.record(z.string(), reading),
  }),
});

const DAY_MS = 86_400_000;

export const createLearnActivities = (deps: StageDeps): Pick<StageActivities, 'learn'> => ({
  // Safe to repeat: what is noted depends on the cycle alone, under the stage's key; a baseline that is there stays.
  async learn(input: LearnInput): Promise<StageResult> {
    const { service, cycle, stage, key, outcome, because, champion, challenger, evaluation, watching } = input;
    const promoted = outcome === 'promoted' && challenger !== null;
    const measured = promoted ? await keepPromoted(deps, input, challenger) : await keepFirst(deps, input);
    const lesson = { outcome, because, champion, challenger, evaluation, watching };
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
    return { evidence, summary: `${outcome}: ${because.replace(/\.$/, '')}.${from}` };
  },
});

/** A promoted variant is held against what its own watch read of it, or what was read of it during its canary. */
async function keepPromoted(deps: StageDeps, input: LearnInput, challenger: string): Promise<boolean> {
  if (input.servedSince !== undefined) {
    const from = Date.parse(input.servedSince);
    return keepEnough(deps, input, { variant: challenger, from, to: deps.now() });
  }
  if (input.watching === null) return false;
  const watched = watchEvidence.safeParse(await deps.artifacts.getJson(input.watching));
  if (!watched.success || watched.data.challenger.readings.ndcg === undefined) return false;
  const vitals = watched.data.challenger;
  await deps.control.setBaseline({ key: `${input.key}:baseline`, variant: challenger, vitals });
  return true;
}

/** A champion without a baseline could never breach a gate on a drop; it gets one once there is enough to read. */
async function keepFirst(deps: StageDeps, input: StageInput): Promise<boolean> {
  const { service, champion, plan } = input;
  if ((await deps.control.baseline(service, champion)) !== null) return false;
  const to = deps.now();
  return keepEnough(deps, input, { variant: champion, from: to - (onADrop(plan)?.windowMs ?? DAY_MS), to });
}

interface Window {
  readonly variant: string;
  readonly from: number;
  readonly to: number;
}

async function keepEnough(deps: StageDeps, { service, key, plan }: StageInput, window: Window): Promise<boolean> {
  const vitals = await deps.vitals.read({ service, ...window });
  if ((vitals.readings.ndcg?.n ?? 0) < (onADrop(plan)?.samples ?? 30)) return false;
  await deps.control.setBaseline({ key: `${key}:baseline`, variant: window.variant, vitals });
  return true;
}

const onADrop = ({ gates }: StageInput['plan']) => gates.find(({ rule }) => 'drop' in rule);
