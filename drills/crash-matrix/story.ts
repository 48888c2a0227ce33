/** What the ledger tells of a service, so that two runs of one seed can be held against each other. */
import type { LedgerRow } from '../../contracts/ledger.ts';
import type { ServiceState, TrafficChange } from '../../contracts/traffic.ts';

/** `001 promoted` */
export const endsIn = (ledger: readonly LedgerRow[]): string[] =>
  ledger
    .filter(({ kind }) => kind === 'cycle ended')
    .map(({ cycle, body }) => `${numberOf(cycle)} ${body.outcome}`)
    .sort();

/**
 * One line a row, cycle by cycle. Left out: what differs between two runs that come to the same end. That is times, digests,
 * refusals (as many as there were attempts), variants that a training registers when nobody waits for it any more, and lanes that
 * were given to a cycle that had stopped waiting, with the promotion numbers that count them (the checker counts them too). Rows
 * that no step of the cycle waits for, such as a person's decision, stand where they always stand.
 */
export const storyOf = (ledger: readonly LedgerRow[], gold: string): string[] => {
  const told = ledger.filter((row) => !isRefusal(row) && row.kind !== 'variant');
  const cycles = [...new Set(told.map(({ cycle }) => cycle ?? ''))].sort();
  return cycles.flatMap((of) => {
    const all = told.filter(({ cycle }) => (cycle ?? '') === of).toSorted((a, b) => placeOf(a) - placeOf(b));
    const moved = all.some(({ kind }) => kind === 'shift');
    const rows = all.filter(({ kind }) => moved || kind !== 'grant');
    return rows.map((row) => lineOf(row, gold)).filter((line, n, lines) => n === 0 || line !== lines[n - 1]);
  });
};

/** Of a change. A trial that ended as refused has ended. */
const isRefusal = ({ kind, body }: LedgerRow): boolean => body.outcome === 'refused' && !kind.endsWith(' ended');

/** First what the guardian tells of the cycle, last what timers and people do. */
const placeOf = ({ kind, actor }: LedgerRow): number => {
  if (kind === 'cycle admitted') return -1;
  if (kind === 'promise broken') return 1;
  return kind === 'decision' && actor.kind === 'person' ? 2 : 0;
};

const lineOf = ({ cycle, kind, actor, body, reason }: LedgerRow, gold: string): string => {
  const state = (body.state ?? null) as ServiceState | null;
  const step = kind === 'shift' ? stepOf({ key: String(body.key), reason }) : '';
  const arms = state?.arms.map(({ variant, share }) => `${variant === gold ? 'gold' : 'challenger'} ${share}`) ?? [];
  const latch = state ? `${state.latch} ${state.epoch}` : '';
  return [numberOf(cycle), actor.kind, kind, step, outcomeOf(kind, body), latch, ...arms].filter(Boolean).join(' ');
};

/** Which step a change of traffic was: its key says it last, and where that only counts, its reason says it first. */
export const stepOf = ({ key, reason }: Pick<TrafficChange, 'key' | 'reason'>): string => {
  const last = key.split('/').at(-1) ?? '';
  return /^\d+$/.test(last) ? reason.replace(/^(\w+ \d+): .*$/, '$1') : last;
};

/** Of a kill a trial hears by a message or by what the store refuses, whichever comes first. */
const outcomeOf = (kind: string, { outcome }: LedgerRow['body']): unknown =>
  /^(ab|canary) ended$/.test(kind) && (outcome === 'refused' || outcome === 'aborted') ? 'stopped' : outcome;

const numberOf = (cycle: string | null): string => cycle?.replace(/^.*_/, '') ?? '';
