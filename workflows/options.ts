/** Activity options, named by what a call means. They live in this one file. */
import { ActivityCancellationType, type ActivityOptions, proxyActivities } from '@temporalio/workflow';
import type { AbActivities } from '../contracts/ab.ts';
import type { CanaryActivities, Hook } from '../contracts/canary.ts';
import type { ControlActivities } from '../contracts/control.ts';
import type { EvidenceActivities } from '../contracts/evidence.ts';
import { NON_RETRYABLE } from '../contracts/failures.ts';
import type { LoraActivities, TrainPermission } from '../contracts/lora.ts';
import type { StagePlan } from '../contracts/plan.ts';
import { queues } from '../contracts/queues.ts';
import type { RemediationActivities } from '../contracts/remediation.ts';

const nonRetryableErrorTypes = [...NON_RETRYABLE];

/**
 * Keyed and fenced, or a read: repeated until the answer is known, because a rollback must not wait and a person's
 * decision must not be lost. An attempt is short, so that a worker that was killed costs seconds.
 */
export const store = proxyActivities<
  Pick<
    ControlActivities,
    | 'readState'
    | 'grantLane'
    | 'shiftTraffic'
    | 'kill'
    | 'arm'
    | 'setGold'
    | 'verifyToken'
    | 'mayStart'
    | 'note'
    | 'killAll'
    | 'liftAll'
  >
>({
  taskQueue: queues.control,
  startToCloseTimeout: '2s',
  retry: { initialInterval: '200ms', backoffCoefficient: 1.5, maximumInterval: '5s', nonRetryableErrorTypes },
});

/**
 * Tells people something, through servers that are not ours: tried a few times, under one key, and given up before anything
 * that waits for it would notice.
 */
export const messenger = proxyActivities<Pick<ControlActivities, 'notify'>>({
  taskQueue: queues.control,
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '60s',
  retry: { initialInterval: '1s', maximumAttempts: 5, nonRetryableErrorTypes },
});

/** Reads files; a broken file is an answer that no repetition changes, and is not retried. */
export const configuration = proxyActivities<
  Pick<ControlActivities, 'readPlan'> & Pick<RemediationActivities, 'readFixSettings'>
>({
  taskQueue: queues.control,
  startToCloseTimeout: '3s',
  retry: { initialInterval: '200ms', maximumInterval: '5s', nonRetryableErrorTypes },
});

/** Goes through Temporal to another workflow and back; update ids make a repetition harmless, and let it join the first. */
export const ask = proxyActivities<
  Pick<ControlActivities, 'admit' | 'askLane' | 'findEnded'> & Pick<RemediationActivities, 'askFix'>
>({
  taskQueue: queues.control,
  startToCloseTimeout: '5s',
  retry: { initialInterval: '300ms', maximumInterval: '5s', nonRetryableErrorTypes },
});

/** Copies files, and finds those of an earlier attempt. Given up after a while: a cycle's end must not wait for ever. */
export const evidence = proxyActivities<EvidenceActivities>({
  taskQueue: queues.data,
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '15m',
  retry: { initialInterval: '300ms', maximumInterval: '10s', maximumAttempts: 8, nonRetryableErrorTypes },
  summary: 'seal the evidence',
});

/** A stage's work: as long as its plan allows, lost when it falls silent, tried again from its last checkpoint. */
export const stageOptions = (plan: StagePlan, summary: string): ActivityOptions => ({
  taskQueue: plan.taskQueue,
  startToCloseTimeout: plan.timeoutMs,
  ...(plan.heartbeatMs === undefined ? {} : { heartbeatTimeout: plan.heartbeatMs }),
  retry: { initialInterval: '500ms', maximumInterval: '30s', maximumAttempts: 10, nonRetryableErrorTypes },
  summary,
});

/** Asks the policy and reads the ledger; the answer is kept under the key of the question, so it is repeated until known. */
export const { mayTrain } = proxyActivities<TrainPermission>({
  taskQueue: queues.control,
  startToCloseTimeout: '3s',
  retry: { initialInterval: '200ms', maximumInterval: '5s', nonRetryableErrorTypes },
  summary: 'ask the policy',
});

/** Reads a service's files and writes artifacts; what it leaves depends on what it reads alone. */
export const dataWork = proxyActivities<Pick<LoraActivities, 'prepareLoraData'>>({
  taskQueue: queues.data,
  startToCloseTimeout: '30m',
  retry: { initialInterval: '500ms', maximumInterval: '30s', maximumAttempts: 5, nonRetryableErrorTypes },
  summary: 'prepare examples and held-out queries',
});

/**
 * A device's work: as long as it takes, lost when it falls silent, tried again from the last checkpoint that a heartbeat
 * named. It is told to stop by a cancellation, and the answer to that, a checkpoint, is waited for.
 */
export const trainer = (summary: string, heartbeatMs: number) =>
  proxyActivities<Omit<LoraActivities, 'prepareLoraData'>>({
    taskQueue: queues.train,
    startToCloseTimeout: '24h',
    heartbeatTimeout: heartbeatMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '500ms', maximumInterval: '30s', maximumAttempts: 10, nonRetryableErrorTypes },
    summary,
  });

/** Reads logs and the ledger, and depends on what it is given alone. A look that cannot be had in time is a look less. */
export const abWork = proxyActivities<Omit<AbActivities, 'keepAb'>>({
  taskQueue: queues.data,
  startToCloseTimeout: '5m',
  scheduleToCloseTimeout: '30m',
  heartbeatTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '30s', nonRetryableErrorTypes },
});

/** Writes an artifact. Given up after a while: how an evaluation ended must be told, with its report or without. */
export const abReports = proxyActivities<Pick<AbActivities, 'keepAb'>>({
  taskQueue: queues.data,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '300ms', maximumInterval: '10s', nonRetryableErrorTypes },
  summary: 'keep the report',
});

/**
 * Looks at live traffic while a challenger serves in it: short, and given up soon, because a metric that cannot be read is
 * an answer too, and the challenger must not go on serving while one waits for it.
 */
export const canaryReads = proxyActivities<
  Pick<
    CanaryActivities,
    'measureCanary' | 'judgeCanary' | 'countCanary' | 'doubtCanary' | 'detectable' | 'pastChampions' | 'readRoute'
  >
>({
  taskQueue: queues.data,
  startToCloseTimeout: '10s',
  scheduleToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', maximumInterval: '2s', maximumAttempts: 3, nonRetryableErrorTypes },
});

/** Writes what is found again under the same name when it is repeated. Given up after a while: a canary's end must be told. */
export const canaryWrites = proxyActivities<Pick<CanaryActivities, 'twinOf' | 'keepCanary'>>({
  taskQueue: queues.data,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '2m',
  retry: { initialInterval: '300ms', maximumInterval: '10s', nonRetryableErrorTypes },
});

/** Somebody else's server or activity, asked under one key: as long as the plan allows, and not for ever. */
export const hookOptions = ({ name, timeoutMs }: Hook, taskQueue: string): ActivityOptions => ({
  taskQueue,
  startToCloseTimeout: timeoutMs,
  scheduleToCloseTimeout: 3 * timeoutMs,
  retry: { initialInterval: '300ms', maximumAttempts: 3, nonRetryableErrorTypes },
  summary: `hook ${name}`,
});

/** Reads the ledger: what a fix chooses its remedies by. Repeated until known, since nothing can be chosen without it. */
export const experience = proxyActivities<Pick<RemediationActivities, 'readFixFacts'>>({
  taskQueue: queues.control,
  startToCloseTimeout: '5s',
  retry: { initialInterval: '200ms', maximumInterval: '5s', nonRetryableErrorTypes },
  summary: 'what has helped before',
});

/** A quick look at the fast gates. One that cannot be had soon is a look less: a fix does not wait for it. */
export const fastLook = proxyActivities<Pick<RemediationActivities, 'lookForBreach'>>({
  taskQueue: queues.data,
  startToCloseTimeout: '8s',
  scheduleToCloseTimeout: '20s',
  retry: { initialInterval: '200ms', maximumInterval: '2s', nonRetryableErrorTypes },
  summary: 'look at the fast gates',
});

/** The owner's server, asked under one key within the time that the plan gives it. It tries again by itself. */
export const remedyOptions = (timeoutMs: number, summary: string): ActivityOptions => ({
  taskQueue: queues.control,
  startToCloseTimeout: timeoutMs + 5_000,
  scheduleToCloseTimeout: 3 * (timeoutMs + 5_000),
  retry: { initialInterval: '300ms', maximumAttempts: 3, nonRetryableErrorTypes },
  summary,
});
