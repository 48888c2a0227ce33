/**
 * One service as the gateway serves it.
 *
 * 1. Every request reads the traffic row anew, so that a kill holds from the next request on.
 * 2. Where the row cannot be read, gold serves: it may serve in every state, and nothing else is known to be allowed.
 * 3. Every request that reached a variant is told to the log, whether it was answered or not; those of testers, who name
 *    the variant themselves, are not: they would count as what users get.
 * 4. A request is answered by one variant from its first step to its last, whatever the row says meanwhile; or by the two
 *    that the row interleaves. What each of these found by itself is told too.
 */
import { randomUUID } from 'node:crypto';
import type { ControlStore } from '../adapters/control/port.ts';
import type { ServedQuery } from '../adapters/query-log/port.ts';
import { PawlError } from '../contracts/failures.ts';
import type { MetadataFilter } from '../contracts/retrieval.ts';
import type { ServiceState } from '../contracts/traffic.ts';
import type { CachedSearch } from './answer-cache.ts';
import { assigned, experimentOf, partnerOf } from './assignment.ts';
import { type Attempt, attempt } from './attempt.ts';
import { together } from './interleaving.ts';
import type { GatewayLogger } from './logger.ts';
import type { GatewayMetrics } from './metrics.ts';
import { createMirror } from './mirroring.ts';
import type { Hit, LoadedVariant, SearchEngine, SearchQuestion } from './search-engine.ts';
import { answerRow, LOGGED_HITS, mirroredRow, partRow } from './served-row.ts';
import { createShelf, type Shelf, type Taken } from './shelf.ts';

export interface GatewayService {
  readonly service: string;
  readonly engine: SearchEngine;
  /** US dollars that an hour of CPU costs. */
  readonly cpuHour: number;
}

export interface Question {
  readonly query: string;
  readonly k: number;
  readonly tenant: string;
  readonly filter: MetadataFilter;
  /** A tester's wish: one of those that the traffic row names. */
  readonly variant?: string;
  /** Decides which variant answers. */
  readonly subject: string;
  /** Who asks, where the request says so. */
  readonly person?: string;
  /** Since the request came in. */
  readonly elapsedMs: () => number;
}

export interface ServedAnswer {
  /** Names this answer, for whoever tells what became of it. */
  readonly answer: string;
  /** The one that answered; of two that were interleaved, the one that would have answered alone. */
  readonly variant: string;
  /** The trial that this answer is part of; null where one variant serves everybody, and for testers. */
  readonly experiment: string | null;
  readonly interleaved?: true;
  readonly cached: boolean;
  readonly latencyMs: number;
  readonly hits: readonly Hit[];
}

export interface ServedService extends GatewayService {
  readonly shelf: Pick<Shelf, 'loaded'>;
  state(): Promise<ServiceState>;
  /** Loads what the traffic row names, ahead of the requests. */
  prepare(): Promise<void>;
  ask(question: Question): Promise<ServedAnswer>;
  /** Nothing is mirrored any more, and what was is told. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface ServedServiceDeps {
  readonly control: Pick<ControlStore, 'state'>;
  readonly metrics: GatewayMetrics;
  readonly logger: GatewayLogger;
  readonly now: () => number;
  readonly subjectHash?: ((subject: string) => string) | undefined;
  readonly served: (row: ServedQuery) => void;
  readonly search: CachedSearch;
  /** So long a variant is waited for that is asked beside another one. */
  readonly patienceMs?: number;
}

export const createServedService = (of: GatewayService, deps: ServedServiceDeps): ServedService => {
  const { service, engine, cpuHour } = of;
  const { control, metrics, logger, now, subjectHash, served, search } = deps;
  const shelf = createShelf({
    service,
    engine,
    now,
    onFailed: (variant, err) => logger.error({ service, variant, err }, 'a variant could not be loaded'),
    onStuck: (err) => logger.error({ service, err }, 'a variant that is not needed any more could not be given back'),
  });
  let last: ServiceState | null = null;
  let readable = true;
  /** Reads may overtake one another: what is kept ready follows the one that began last. */
  let [begun, newest] = [0, 0];

  const state = async (): Promise<ServiceState> => {
    const mine = ++begun;
    try {
      const row = (await control.state(service)) ?? last;
      readable = true;
      if (row && mine > newest) {
        newest = mine;
        last = row;
        shelf.keep(row);
      }
      if (row) return row;
    } catch (err) {
      if (readable) logger.error({ service, err }, 'the traffic row cannot be read; gold serves');
      readable = false;
      metrics.fallback(service, 'store');
    }
    if (last) return onGold(last);
    throw new PawlError('Unavailable', `${service} is not registered in the store, or the store cannot be read`, {
      hint: 'Register it with `pawl init`; `pawl doctor` checks the store.',
    });
  };

  const choose = async (subject: string, named: string | undefined): Promise<Chosen> => {
    for (;;) {
      const row = await state();
      if (named !== undefined && !namesOf(row).includes(named)) throw notNamed(named, row);
      const pinned = named !== undefined;
      const { variant: wanted, phase } = pinned ? { variant: named, phase: null } : assigned(row, subject);
      const taken = shelf.take(wanted, row);
      // Who gets something else than what is theirs is not enrolled by that.
      if (taken && (!pinned || taken.id === named))
        return { ...taken, wanted, row, pinned, phase: taken.id === wanted ? phase : null };
      // A kill may come while a variant is loading, so the row is read again afterwards.
      if (!(await shelf.loading(wanted, row))) throw shelf.unavailable(wanted, row);
    }
  };

  /** What is kept of who asks. A secret that cannot be read costs the log that much, and no request. */
  const kept = (person: string | undefined): Pick<ServedQuery, 'subject'> => {
    if (person === undefined || !subjectHash) return {};
    try {
      return { subject: subjectHash(person) };
    } catch (err) {
      logger.error({ service, err }, 'who asked cannot be hashed, so it is not kept');
      return {};
    }
  };

  const mirror = createMirror({ ...deps, service, shelf, state });

  /** Asks one variant, or the two that the row interleaves where both are ready. */
  const find = async (chosen: Chosen, question: SearchQuestion, answer: string): ReturnType<typeof together> => {
    const { id, variant, wanted, row, pinned } = chosen;
    const partner = pinned || id !== wanted ? null : partnerOf(row, id);
    const other = partner === null ? null : shelf.ready(partner);
    if (partner !== null && other !== null) {
      const part = (name: string, loaded: LoadedVariant) => () =>
        attempt(name, () => search(service, name, loaded, question), deps);
      return together([part(id, variant), part(partner, other)], { k: question.k, answer });
    }
    const alone = { variant: id, found: null, error: null };
    return search(service, id, variant, question).then(
      (found) => ({ outcome: { ...alone, found }, parts: [] }),
      (error: unknown) => ({ outcome: { ...alone, error }, parts: [] }),
    );
  };

  const ask = async (question: Question): Promise<ServedAnswer> => {
    const { query, k, subject, person, tenant, filter, variant: named, elapsedMs } = question;
    const chosen = await choose(subject, named);
    const { id, wanted, row, pinned, phase } = chosen;
    if (id !== wanted) metrics.fallback(service, 'variant');
    const answer = randomUUID();
    const experiment = pinned ? null : experimentOf(row);
    const asked = { query, k: Math.max(k, LOGGED_HITS), tenant, filter };
    const { outcome, parts } = await find(chosen, asked, answer);
    const { variant, found, error } = outcome;
    const latencyMs = elapsedMs();
    metrics.searched(row, variant, latencyMs, found ? 'answered' : 'failed');
    if (!pinned) {
      const about = { service, query, tenant, answer, experiment, cpuHour, ...kept(person) };
      served(answerRow(about, { ...outcome, at: now(), latencyMs, phase }));
      for (const part of parts) served(partRow(about, part));
      const by = [variant, ...parts.map((part) => part.variant)];
      const keep = (tried: Attempt, then: ServiceState) => served(mirroredRow(about, tried, then));
      if (found) mirror.copy({ answer, by, row, question: asked, keep });
    }
    if (!found) throw error;
    const isMixed = parts.length > 0 && parts.every((part) => part.found);
    const said = { answer, variant, experiment, ...(isMixed ? ({ interleaved: true } as const) : {}) };
    return { ...said, cached: found.cached, latencyMs, hits: found.hits.slice(0, k) };
  };

  const prepare = async (): Promise<void> => {
    try {
      await state();
    } catch (err) {
      logger.debug({ service, err }, 'nothing to prepare yet');
    }
  };

  const close = async (): Promise<void> => {
    await mirror.settle();
    await shelf.close();
    await engine.close();
  };

  return { ...of, shelf, state, prepare, ask, settle: mirror.settle, close };
};

interface Chosen extends Taken {
  readonly wanted: string | null;
  readonly row: ServiceState;
  /** By a tester: it is not counted. */
  readonly pinned: boolean;
  readonly phase: number | null;
}

const namesOf = ({ arms, champion, gold }: ServiceState): readonly (string | null)[] => [
  ...arms.map(({ variant }) => variant),
  champion,
  gold,
];

const notNamed = (variant: string, row: ServiceState): PawlError =>
  new PawlError('NotFound', `${row.service} has no variant ${variant.slice(0, 80)} in its traffic`, {
    hint: `It serves ${namesOf(row)
      .filter((id) => id !== null)
      .join(', ')}: name one of them in x-pawl-variant, or none.`,
  });

const onGold = (state: ServiceState): ServiceState => {
  const variant = state.gold ?? state.champion;
  return variant === null ? state : { ...state, champion: variant, arms: [{ variant, share: 1 }] };
};
