/**
 * The traffic lane: at most one cycle holds it, the others wait in the order of asking.
 *
 * A grant raises the promotion number in the store, which fences off whoever held the lane before. So a forged or late
 * report can disturb, but never let two cycles move traffic.
 */
import { fieldOf } from '../../contracts/message-shapes.ts';
import { type LaneAnswer, laneFreeSignal } from '../../contracts/messages.ts';
import type { Actor } from '../../contracts/traffic.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';
import type { Self } from './self.ts';

const SELF: Actor = { kind: 'guardian', name: 'guardian' };

export class Lane {
  readonly #self: Self;
  /** The waiting cycle that was told that the lane is free. */
  #hinted: string | null = null;

  constructor(self: Self) {
    this.#self = self;
  }

  /** Anyone may ask, with anything; only a cycle that is known to run is ever given the lane. */
  async request(request: unknown): Promise<LaneAnswer> {
    const cycle = fieldOf(request, 'cycle');
    const { running, lane, paused } = this.#self.memory;
    if (cycle === null || !running.some((one) => one.cycle === cycle))
      return refused('the guardian does not know this cycle as running');

    const waiting = lane.waiting.includes(cycle) ? lane.waiting : [...lane.waiting, cycle];
    const ahead = lane.holder ?? (waiting[0] === cycle ? null : (waiting[0] ?? null));
    if (lane.holder !== cycle && (paused || ahead !== null)) {
      this.#self.remember({ lane: { ...lane, waiting } });
      return { granted: false, wait: true, behind: paused ? `a pause (${paused.reason})` : (ahead ?? '') };
    }

    const reason = `${cycle} asked for the traffic lane`;
    const order = { key: this.#self.key('grant'), service: this.#self.service, cycle, actor: SELF, reason };
    const answer = await this.#self.effect(() => store.grantLane(order));
    if (answer.outcome === 'refused') return refused(answer.because);
    const { epoch, promotion, champion, arms } = answer.state;
    if (!champion) return refused('the service has no champion');
    this.#self.remember({ lane: { holder: cycle, waiting: waiting.filter((one) => one !== cycle) } });
    return { granted: true, token: { epoch, promotion }, champion, arms };
  }

  /** The first that waits while nobody holds the lane, unless it was told already. */
  get next(): string | null {
    const { lane, paused } = this.#self.memory;
    const next = lane.waiting[0] ?? null;
    return paused === null && lane.holder === null && next !== this.#hinted ? next : null;
  }

  async tellNext(): Promise<void> {
    const { next } = this;
    if (next === null) return;
    this.#hinted = next;
    const waiting = this.#self.memory.running.find(({ cycle }) => cycle === next);
    if (waiting) await tell(waiting.workflowId, laneFreeSignal);
  }

  /**
   * Puts the champion back where a cycle that held the lane has vanished; its number is fenced off by that. Answers with the
   * variant that it has made champion since the store was read last, on its last breath.
   */
  async takeBack(cycle: string, because: string): Promise<string | null> {
    const { state, lane } = this.#self.memory;
    this.#hinted = null;
    if (lane.holder !== cycle || !state?.champion) return null;
    const order = { service: this.#self.service, cycle, actor: SELF, reason: because };
    const granted = await this.#self.effect(() => store.grantLane({ ...order, key: this.#self.key('grant') }));
    if (granted.outcome === 'refused') return null; // killed meanwhile: gold serves already
    const { epoch, promotion, champion } = granted.state;
    const arms = [{ variant: champion ?? state.champion, share: 1 }];
    await this.#self.effect(() =>
      store.shiftTraffic({
        ...order,
        key: this.#self.key('restore'),
        token: { epoch, promotion },
        arms,
      }),
    );
    return epoch === state.epoch && champion !== state.champion ? champion : null;
  }
}

const refused = (because: string): LaneAnswer => ({ granted: false, wait: false, because });
