/** Task queues say what a task needs from the machine that runs it, never which version of the code. */
export const queues = {
  /** Workflows and light activities: traffic, ledger, tokens. */
  control: 'pawl-control',
  /** Work over data that fits any machine: monitoring, diagnosis, augmentation, evaluation. */
  data: 'pawl-data',
  /** Training. On a laptop this is the niced CPU trainer; on a cluster the machines with a GPU. */
  train: 'pawl-train-gpu',
  /** Encoding, scoring and evaluating whole data sets with a model. */
  infer: 'pawl-infer-gpu',
} as const;
export type Queue = (typeof queues)[keyof typeof queues];
