/** What people tell the guardian. A restriction works as it comes; what loosens carries a signed token. */
import { guardianId } from '../../contracts/ids.ts';
import { fieldOf, restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import type { Answer } from '../../contracts/messages.ts';
import type { TokenClaims } from '../../contracts/token.ts';
import type { StateAnswer } from '../../contracts/traffic.ts';
import { accepted, refused } from '../messages.ts';
import { store } from '../options.ts';
import type { Self } from './self.ts';

export class Orders {
  readonly #self: Self;
  #killing: Promise<Answer> | null = null;

  constructor(self: Self) {
    this.#self = self;
  }

  /** Waits for nothing. Kills that come while one is under way join it, so that a flood of them is one effect. */
  kill(message: unknown): Promise<Answer> {
    this.#killing ??= this.#kill(message).finally(() => {
      this.#killing = null;
    });
    return this.#killing;
  }

  pause(message: unknown): Answer {
    const paused = restrictionOf(message);
    this.#self.remember({ paused });
    this.#self.note('paused', { kind: 'person', name: paused.by }, paused.reason);
    return accepted('paused: no cycle is admitted and no traffic lane is given until a signed resume');
  }

  resume(message: unknown): Promise<Answer> {
    return this.#signed(message, 'resume', null, async ({ person, reason }) => {
      this.#self.remember({ paused: null });
      this.#self.note('resumed', { kind: 'person', name: person }, reason);
      return accepted('resumed');
    });
  }

  rearm(message: unknown): Promise<Answer> {
    return this.#signed(message, 'rearm', null, async (claims) =>
      this.#answer(await this.#self.effect(() => store.arm(this.#order('arm', claims))), 'armed: cycles are admitted'),
    );
  }

  async gold(message: unknown): Promise<Answer> {
    const variant = fieldOf(message, 'variant');
    if (variant === null) return refused('expected { variant, token }');
    return this.#signed(message, 'gold', variant, async (claims) =>
      this.#answer(
        await this.#self.effect(() => store.setGold({ ...this.#order('gold', claims), variant })),
        `gold is now ${variant.slice(0, 12)}`,
      ),
    );
  }

  async #kill(message: unknown): Promise<Answer> {
    const { by, reason } = restrictionOf(message);
    this.#self.killed(reason);
    const order = {
      key: this.#self.key('kill'),
      service: this.#self.service,
      actor: { kind: 'person', name: by },
      reason,
    };
    const answer = await this.#self.effect(() => store.kill(order));
    await this.#self.stopCycles(reason);
    return this.#answer(
      answer,
      `killed: epoch ${answer.state?.epoch}, ${answer.state?.gold ? 'gold serves' : 'without gold the champion still serves'}`,
    );
  }

  async #signed(
    message: unknown,
    action: 'resume' | 'rearm' | 'gold',
    variant: string | null,
    effect: (claims: TokenClaims) => Promise<Answer>,
  ): Promise<Answer> {
    const token = tokenOf(message);
    if (token === null) return refused(`${action} needs a signed token, such as the CLI makes with --print`);
    const bound = { action, workflow: guardianId(this.#self.service), step: null, variant, evidence: null };
    const about = { service: this.#self.service };
    const answer = await store.verifyToken({ token, ...bound, key: this.#self.key(action), about });
    return answer.valid ? effect(answer.claims) : refused(answer.because);
  }

  #order(what: string, { person, reason }: TokenClaims) {
    return { key: this.#self.key(what), service: this.#self.service, actor: { kind: 'person', name: person }, reason };
  }

  #answer(answer: StateAnswer, what: string): Answer {
    return answer.outcome === 'done' ? accepted(what) : refused(answer.because);
  }
}
