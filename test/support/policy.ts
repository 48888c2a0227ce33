/** What the activities of a test ask the policy with: the real engine, and services that stand where the plan says. */
import type { TrafficDeps } from '../../activities/permission.ts';
import { cedarPolicy } from '../../adapters/policy/cedar.ts';
import type { PolicyEngine } from '../../adapters/policy/port.ts';
import type { CyclePlan } from '../../contracts/plan.ts';

/** Pawl's own policies, checked once for all worlds of a process; none of them brings policies of its own. */
export const shippedPolicy: PolicyEngine = cedarPolicy({ home: '/nowhere' });

export const servicesOf = (plan: () => CyclePlan): TrafficDeps['services'] => {
  const config = async () => {
    const { environment, mode, approval } = plan();
    return {
      environment,
      mode,
      approval: { required: approval !== null, expires: approval?.expiresMs ?? 0, quorum: approval?.quorum ?? 1 },
    };
  };
  return { config: () => config(), all: async () => [await config()] };
};
