/** `pawl.yaml`: what a person writes about one service. Edges only: zod stays out of workflow code. */
import { z } from 'zod';
import { ACCESS_MODES, isLoopback } from './access.ts';
import { duration, hostAndPort, percentage, secretReference } from './config-values.ts';
import { SERVICE_NAME } from './ids.ts';
import { NOTICE_TYPES } from './notice.ts';
import { ENVIRONMENTS, MODES, PLUGGABLE_STAGES, STAGES } from './plan.ts';
import { abSettings, canarySettings, remedySettings } from './trial-config.ts';

const gate = z
  .strictObject({
    metric: z.string().min(1),
    drop: percentage.optional(),
    above: z.number().optional(),
    below: z.number().optional(),
    samples: z.int().positive().default(30),
    window: duration.prefault('24h'),
    within: duration.prefault('1h'),
  })
  .refine(
    (g) => [g.drop, g.above, g.below].filter((rule) => rule !== undefined).length === 1,
    'exactly one of drop, above, below',
  );

const stage = z
  .strictObject({
    activity: z.string().optional(),
    workflow: z.string().optional(),
    taskQueue: z.string().min(1),
    timeout: duration.prefault('1h'),
    heartbeat: duration.optional(),
  })
  .refine((s) => (s.activity === undefined) !== (s.workflow === undefined), 'exactly one of activity, workflow');

const schedule = z
  .strictObject({
    name: z.string().regex(SERVICE_NAME),
    cron: z.string().optional(),
    every: duration.optional(),
    /** What is started: a cycle, or a quick look at the fast gates, which has mended what is breached. */
    starts: z.enum(['cycle', 'fix']).optional(),
    paused: z.boolean().default(false),
    reason: z.string().default('on schedule'),
  })
  .refine((s) => (s.cron === undefined) !== (s.every === undefined), 'exactly one of cron, every');

const MINUTE = 60_000;
const MOST_REMINDERS = 100;
const role = z.string().min(1).max(100);
const roles = z.array(role).min(1);

const approval = z
  .strictObject({
    required: z.boolean(),
    expires: duration.prefault('24h'),
    /** How many different people must approve. */
    quorum: z.int().min(1).max(20).default(1),
    /** Who of those whom the policy permits may decide; all of them where it is left out. */
    roles: roles.optional(),
    remind: duration.optional(),
    escalate: z.strictObject({ after: duration, to: roles }).optional(),
  })
  .superRefine(({ expires, remind, escalate }, found) => {
    const wrong = (key: string, message: string) => found.addIssue({ code: 'custom', path: key.split('.'), message });
    if (expires < MINUTE) wrong('expires', 'at least a minute');
    if (remind !== undefined && (remind < MINUTE || remind >= expires))
      wrong('remind', 'at least a minute, and shorter than expires');
    if (remind !== undefined && expires / remind > MOST_REMINDERS)
      wrong('remind', `at most ${MOST_REMINDERS} reminders before it expires`);
    if (escalate !== undefined && (escalate.after < MINUTE || escalate.after >= expires))
      wrong('escalate.after', 'at least a minute, and shorter than expires');
  });

const webhook = z
  .strictObject({
    webhook: z
      .string()
      .refine(isWebhookUrl, 'an address such as "https://example.com/pawl", with no name or password in it'),
    secret: secretReference,
    /** Hosts in one's own network, and such that speak plain http. Everything else must be public and speak https. */
    allow: z.array(hostAndPort).default([]),
    /** All where it is left out. */
    events: z.array(z.enum(NOTICE_TYPES)).min(1).optional(),
  })
  .superRefine(({ webhook, allow }, found) => {
    if (!isWebhookUrl(webhook) || !webhook.startsWith('http:') || allow.includes(hostAndPortOf(new URL(webhook))))
      return;
    const path = ['webhook'];
    found.addIssue({ code: 'custom', path, message: 'https, or its host and port under `allow`' });
  });
export type Webhook = z.infer<typeof webhook>;

/** A router that is not ours: told of every change of traffic, and asked what it holds. */
const router = z
  .strictObject({
    hook: z.string().refine(isWebhookUrl, 'an address such as "https://mesh.example.com/pawl/route"'),
    secret: secretReference,
    /** As of a webhook. */
    allow: z.array(hostAndPort).default([]),
  })
  .refine(
    ({ hook, allow }) =>
      !isWebhookUrl(hook) || !hook.startsWith('http:') || allow.includes(hostAndPortOf(new URL(hook))),
    { path: ['hook'], error: 'https, or its host and port under `allow`' },
  );

const requestsPerMinute = z.int().min(1).max(1_000_000);

export const gatewaySettings = z
  .strictObject({
    host: z.string().default('127.0.0.1'),
    port: z.int().min(0).max(65535).default(8787),
    /** Left out: open to this machine where only this machine reaches it, and by keys everywhere else. */
    access: z.enum(ACCESS_MODES).optional(),
    /** Requests a minute. Without a number of its own, an open gateway counts no addresses: they are this machine's. */
    limits: z
      .strictObject({ perAddress: requestsPerMinute.optional(), perKey: requestsPerMinute.optional() })
      .prefault({}),
    /** Proxies whose X-Forwarded-For is believed. */
    trustProxy: z
      .array(
        z.union([z.ipv4(), z.cidrv4(), z.ipv6(), z.cidrv6()], {
          error: 'an address such as "10.0.0.7", or a network such as "10.0.0.0/8"',
        }),
      )
      .default([]),
  })
  .refine(({ host, access }) => access !== 'open' || isLoopback(host), {
    path: ['access'],
    error: 'keys, because its host can be reached from other machines; or the host 127.0.0.1, to leave it open',
  });
export type GatewaySettings = z.infer<typeof gatewaySettings>;

/** The part that a profile may set and that pawl.yaml overrides. */
const settings = z.strictObject({
  mode: z.enum(MODES),
  approval,
  notify: z.array(webhook),
  gates: z.record(z.string(), gate),
  training: z.strictObject({ trials: z.int().positive(), time: duration, seed: z.int() }),
  deploy: z.strictObject({ share: percentage }),
  watch: z.strictObject({ for: duration, samples: z.int().positive(), maxDrop: percentage }),
  limits: z.strictObject({
    cyclesPerDay: z.int().positive(),
    cooldown: duration,
    running: z.int().positive(),
    /** What all cycles of a day (UTC) may use; a cycle is not started once it is used up. */
    dollarsPerDay: z.number().min(0.01).optional(),
    gpuMinutesPerDay: z.int().positive().optional(),
  }),
  promises: z.partialRecord(z.enum(STAGES), duration),
  /** null: no A/B evaluation. */
  ab: abSettings.nullable(),
  /** null: one share for the challenger, watched for a while (deploy, watch). */
  canary: canarySettings.nullable(),
  remediation: remedySettings,
  /** null: the gateway spreads the requests itself. */
  router: router.nullable(),
  stages: z.partialRecord(z.enum(PLUGGABLE_STAGES), stage),
  schedules: z.array(schedule),
});

export const pawlYaml = z.strictObject({
  service: z.string().regex(SERVICE_NAME, 'lower-case letters, digits and dashes, at most 40, starting with a letter'),
  environment: z.enum(ENVIRONMENTS),
  data: z.strictObject({
    /** JSON lines: _id, title, text. */
    corpus: z.string(),
    /** JSON lines: _id, text. */
    queries: z.string(),
    /** TREC-like TSV: query-id, corpus-id, score. */
    judgements: z.strictObject({ train: z.string(), test: z.string(), live: z.string().optional() }),
  }),
  gateway: gatewaySettings.prefault({}),
  /** US dollars that an hour of CPU costs here; the cost of a request is its CPU time. */
  cpuHour: z.number().nonnegative().default(0.04),
  ...settings.partial().shape,
  profiles: z.partialRecord(z.enum(ENVIRONMENTS), settings.partial()).optional(),
});

export type PawlYaml = z.infer<typeof pawlYaml>;
export type Settings = z.infer<typeof settings>;

/** What an allowed host is compared with: the port is always said. */
export function hostAndPortOf({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
}

function isWebhookUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

/** A service as the rest of Pawl knows it: checked, profile applied, paths absolute. */
export type ServiceConfig = Omit<PawlYaml, 'profiles' | keyof Settings> &
  Settings & {
    /** Absolute folder of pawl.yaml. */
    readonly folder: string;
    /** sha256 of the file's bytes, and the Git commit of its folder (null outside Git). */
    readonly digest: string;
    readonly commit: string | null;
  };
