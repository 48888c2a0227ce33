import type { ServiceConfig } from '../contracts/config.ts';
import type { ControlActivities } from '../contracts/control.ts';
import { planOf } from '../domain/plan.ts';
import { failing } from './failure.ts';

interface PlanDeps {
  readonly services: { config(service: string): Promise<ServiceConfig> };
}

export const createPlanActivities = ({ services }: PlanDeps): Pick<ControlActivities, 'readPlan'> =>
  failing({
    // Safe to repeat: it only reads.
    readPlan: async ({ service }) => planOf(await services.config(service)),
  });
