/**
 * The values under which a cluster serves what a cycle decided, for a chart that reads `selfImprovement` (ADR 13). Where a
 * Git commit is what moves traffic, this file is the commit.
 */
import type { ArtifactRef } from '../contracts/artifact.ts';
import type { Environment } from '../contracts/plan.ts';
import type { Arm, FencingToken } from '../contracts/traffic.ts';

export interface HelmDecision {
  readonly service: string;
  readonly environment: Environment;
  readonly cycle: string;
  /** How the cycle ended. */
  readonly outcome: string;
  readonly configuration: { readonly sha256: string; readonly commit: string | null };
  /** Who serves, and who of them is champion. */
  readonly arms: readonly Arm[];
  readonly champion: string;
  /** Where the bytes of a variant are; null: nobody knows it any more. */
  readonly artifacts: Readonly<Record<string, ArtifactRef | null>>;
  /** Digest of what the decision was made on; null: there was none. */
  readonly evidence: string | null;
  /** Orders the commits of a service: a newer one is never overwritten by an older one. */
  readonly token: FencingToken | null;
}

type HelmArm = { readonly id: string; readonly share: number; readonly artifact: ArtifactRef | null };

export const helmPatch = (decision: HelmDecision) => {
  const { service, environment, configuration, cycle, outcome, champion, arms, artifacts, evidence, token } = decision;
  const arm = ({ variant, share }: Arm): HelmArm => ({ id: variant, share, artifact: artifacts[variant] ?? null });
  const serving = arms.filter(({ share }) => share > 0);
  const first = serving.find(({ variant }) => variant === champion) ?? { variant: champion, share: 0 };
  const [other] = serving.filter(({ variant }) => variant !== champion);
  return {
    cycle,
    outcome,
    selfImprovement: {
      environment,
      configuration,
      services: {
        [service]: {
          champion: arm(first),
          ...(other && { challenger: arm(other) }),
          weights: weightsOf(serving),
          annotations: {
            'pawl/cycle': cycle,
            ...(evidence !== null && { 'pawl/evidence': `sha256:${evidence}` }),
            ...(token !== null && { 'pawl/token': `${token.epoch}.${token.promotion}` }),
          },
        },
      },
    },
  };
};

/**
 * Shares as whole per cent that add up to 100, as meshes and Argo Rollouts take them. Whoever has a share has at least 1: to a
 * mesh, 0 is nothing at all.
 */
export const weightsOf = (arms: readonly Arm[]): Readonly<Record<string, number>> => {
  const serving = arms.filter(({ share }) => share > 0);
  const parts = serving.map(({ variant, share }) => ({
    variant,
    exact: 100 * share,
    weight: Math.max(1, Math.floor(100 * share + 1e-9)),
  }));
  let left = 100 - parts.reduce((sum, { weight }) => sum + weight, 0);
  // What is missing goes to whoever lost most by rounding; what is too much is taken from the largest.
  const byLoss = parts.toSorted(
    (a, b) => b.exact - b.weight - (a.exact - a.weight) || (a.variant < b.variant ? -1 : 1),
  );
  for (const part of byLoss) {
    if (left <= 0) break;
    part.weight += 1;
    left -= 1;
  }
  while (left < 0) {
    const largest = parts.reduce((most, part) => (part.weight > most.weight ? part : most));
    largest.weight -= 1;
    left += 1;
  }
  return Object.fromEntries(parts.map(({ variant, weight }) => [variant, weight]));
};
