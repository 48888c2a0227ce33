import type { StageActivities } from '../contracts/stages.ts';
import { createAugmentActivities } from './augment.ts';
import { createDiagnoseActivities } from './diagnose.ts';
import { createEvaluateActivities } from './evaluate.ts';
import { failing } from './failure.ts';
import { createLearnActivities } from './learn.ts';
import { createMonitorActivities } from './monitor.ts';
import type { StageDeps } from './stage-deps.ts';
import { createTrainActivities } from './train.ts';
import { createWatchActivities } from './watch.ts';

/** The built-in stages of a search service, each failing in the words of the catalogue. */
export const createStageActivities = (deps: StageDeps): StageActivities =>
  failing({
    ...createMonitorActivities(deps),
    ...createDiagnoseActivities(deps),
    ...createAugmentActivities(deps),
    ...createTrainActivities(deps),
    ...createEvaluateActivities(deps),
    ...createWatchActivities(deps),
    ...createLearnActivities(deps),
  });
