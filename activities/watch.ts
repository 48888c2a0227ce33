import type { StageActivities, WatchInput, Watching } from '../contracts/stages.ts';
import { judgeWatch } from '../domain/watch.ts';
import type { StageDeps } from './stage-deps.ts';

export const createWatchActivities = (deps: StageDeps): Pick<StageActivities, 'watch'> => ({
  // Safe to repeat: it reads; a later look sees more of the same window.
  async watch({ service, cycle, stage, champion, challenger, since, plan }: WatchInput): Promise<Watching> {
    const window = { service, from: Date.parse(since), to: deps.now() };
    const [before, after] = await Promise.all([
      deps.vitals.read({ ...window, variant: champion }),
      deps.vitals.read({ ...window, variant: challenger }),
    ]);
    const { samples, maxDrop } = plan.watch;
    const rule = { samples, maxDrop, gates: plan.gates };
    const { state, reasons } = judgeWatch(before, after, rule);
    const evidence = await deps.artifacts.putJson({
      stage,
      service,
      cycle,
      rule,
      champion: before,
      challenger: after,
      state,
      reasons,
    });
    return { state, reasons, evidence, summary: `${state}: ${reasons.join('; ')}.` };
  },
});
