/** Ledgers as a test writes them: rows follow each other as the store would have written them, until the test breaks one. */
import type { Arm, LedgerRow, ServiceState } from '../../contracts/traffic.ts';
import type { Evidence, Registered, Served } from './checker/evidence.ts';

export const [GOLD, CHALLENGER] = ['gold-1', 'challenger-1'];
export const FIRST = 'si_2026_11_21_001';
const START = Date.parse('2026-11-21T12:00:00.000Z');
const STEP_MS = 10_000;
const whole = (variant: string): readonly Arm[] => [{ variant, share: 1 }];
const split: readonly Arm[] = [GOLD, CHALLENGER].map((variant) => ({ variant, share: 0.5 }));

interface Told {
  readonly cycle?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly key?: string;
  readonly body?: object;
}

export class HandMadeLedger {
  readonly rows: LedgerRow[] = [];
  readonly variants: Registered[] = [
    { id: GOLD, service: 'docs', origin: 'init' },
    { id: CHALLENGER, service: 'docs', origin: FIRST },
  ];
  readonly served: Served[] = [];
  state: ServiceState | null = null;

  row(kind: string, { cycle, by = 'person', reason = kind, key, body = {} }: Told = {}): this {
    const seq = this.rows.length + 1;
    this.rows.push({
      ...{ seq, kind, reason, service: 'docs', cycle: cycle ?? null },
      at: new Date(START + seq * STEP_MS).toISOString(),
      actor: { kind: by, name: by },
      body: { key: key ?? `key-${seq}`, ...body },
    });
    return this;
  }

  change(kind: string, to: Partial<ServiceState>, told: Told = {}): this {
    const before = this.state;
    this.state = { ...(before ?? FRESH), ...to };
    return this.row(kind, { ...told, body: { ...told.body, outcome: 'done', state: this.state, before } });
  }

  kill(to: Partial<ServiceState> = {}): this {
    const epoch = (this.state?.epoch ?? 0) + 1;
    return this.change('kill', { latch: 'killed', epoch, champion: GOLD, arms: whole(GOLD), ...to });
  }

  grant(cycle = FIRST): this {
    return this.change('grant', { promotion: (this.state?.promotion ?? 0) + 1 }, { cycle, by: 'guardian' });
  }

  shift(reason: string, arms: readonly Arm[], champion?: string, told: Told = {}): this {
    const token = { epoch: this.state?.epoch, promotion: this.state?.promotion };
    const body = { token, arms, ...(champion === undefined ? {} : { champion }), ...told.body };
    const to = { arms, ...(champion === undefined ? {} : { champion }) };
    return this.change('shift', to, { cycle: FIRST, by: 'cycle', reason, ...told, body });
  }

  deploy = (told: Told = {}): this => this.shift('deploy', split, undefined, told);
  promote = (told: Told = {}): this => this.shift('promote', whole(CHALLENGER), CHALLENGER, told);
  restore = (told: Told = {}): this => this.shift('restore', whole(GOLD), undefined, told);

  /** A service that is vouched for and armed, and its first cycle. */
  admitted(): this {
    this.change('register', {}).change('gold', { gold: GOLD }).change('arm', { latch: 'armed' });
    return this.row('cycle admitted', { cycle: FIRST });
  }

  ends(outcome: string, challenger: string | null = CHALLENGER): this {
    return this.row('cycle ended', { cycle: FIRST, by: 'cycle', body: { outcome, challenger } });
  }

  /** A request that was answered so long after the last row. */
  answered(variant: string, afterMs: number, latencyMs = 5): this {
    const at = START + this.rows.length * STEP_MS + afterMs;
    this.served.push({ at, service: 'docs', variant, latencyMs, error: null });
    return this;
  }

  evidence(over: Partial<Evidence> = {}): Evidence {
    const { rows: ledger, variants, served, state } = this;
    return { ledger, variants, served, services: state ? [state] : [], ...over };
  }
}

const FRESH: ServiceState = {
  service: 'docs',
  latch: 'disarmed',
  because: '',
  epoch: 0,
  promotion: 0,
  champion: GOLD,
  gold: null,
  arms: whole(GOLD),
};
