/** Stages that a test brings itself: each does what its script says, and by default the cycle goes through to promotion. */
import { createHash } from 'node:crypto';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import type { EvidenceActivities } from '../../contracts/evidence.ts';
import type { StageActivities } from '../../contracts/stages.ts';

export const evidenceOf = (text: string): ArtifactRef => {
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { uri: `artifact:sha256/${sha256}`, sha256 };
};

export const stagesTo = (challenger: string, script: Partial<StageActivities> = {}): StageActivities => ({
  findBreach: async ({ key }) => ({
    summary: 'ndcg fell',
    evidence: evidenceOf(key),
    findings: [
      {
        gate: 'ndcg',
        metric: 'ndcg',
        state: 'breach',
        value: 0.4,
        limit: 0.5,
        baseline: 0.52,
        n: 100,
        because: 'fell',
        withinMs: 3_600_000,
      },
    ],
  }),
  diagnose: async ({ key }) => ({ summary: 'words changed', evidence: evidenceOf(key), lost: 10, queries: 100 }),
  augment: async ({ key }) => ({
    summary: 'built',
    evidence: evidenceOf(key),
    dataset: evidenceOf(`${key}/data`),
    trainQueries: 100,
    candidates: 3,
  }),
  train: async ({ key }) => ({
    summary: 'trained',
    evidence: evidenceOf(key),
    challenger,
    trials: 10,
    championScore: 0.4,
    challengerScore: 0.5,
  }),
  evaluate: async ({ key }) => ({
    summary: 'better by 0.1',
    evidence: evidenceOf(key),
    verdict: 'better',
    reasons: ['better by 0.1'],
    championScore: 0.4,
    challengerScore: 0.5,
    low: 0.05,
    high: 0.15,
    queries: 100,
  }),
  watch: async ({ key }) => ({ summary: 'as good', evidence: evidenceOf(key), state: 'healthy', reasons: ['as good'] }),
  learn: async ({ key }) => ({ summary: 'noted', evidence: evidenceOf(key) }),
  ...script,
});

/** Says that everything is there. */
export const sealing: EvidenceActivities = {
  sealEvidence: async ({ service, cycle, end }) => ({
    outcome: end.outcome,
    complete: true,
    missing: [],
    statement: evidenceOf(`${service}/${cycle}/statement`),
  }),
};
