/**
 * Every service at once. The store's transaction is what kills; the guardians are told so that their cycles stop, and a
 * guardian that does not hear it finds the store's epoch by itself.
 */
import { setCurrentDetails, setDefaultSignalHandler, setHandler, workflowInfo } from '@temporalio/workflow';
import type { KillSwitchInput, KillSwitchMemory } from '../../contracts/guardian.ts';
import { FLEET, guardianId, KILL_SWITCH_ID } from '../../contracts/ids.ts';
import { restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import * as messages from '../../contracts/messages.ts';
import { accepted, inTurn, onMessage, refused } from '../messages.ts';
import { Mutex } from '../mutex.ts';
import { store } from '../options.ts';
import { tell } from '../tell.ts';

export class KillSwitch {
  readonly #mutex = new Mutex();
  #memory: KillSwitchMemory;

  constructor({ memory }: KillSwitchInput) {
    this.#memory = memory ?? { killed: false, because: 'never used', services: [], effects: 0 };
    setHandler(messages.killSwitchStatusQuery, () => {
      const { killed, because, services } = this.#memory;
      return { killed, because, services };
    });
    const onRefusal = (because: string) => this.#show(because);
    onMessage(
      messages.killSignal,
      messages.killUpdate,
      inTurn(this.#mutex, (message) => this.#kill(message)),
      onRefusal,
    );
    onMessage(
      messages.rearmSignal,
      messages.rearmUpdate,
      inTurn(this.#mutex, (message) => this.#rearm(message)),
      onRefusal,
    );
    setDefaultSignalHandler((name) => onRefusal(`${name}: the kill switch knows no such message`));
  }

  memory(): KillSwitchMemory {
    return this.#memory;
  }

  async #kill(message: unknown): Promise<messages.Answer> {
    const { by, reason } = restrictionOf(message);
    const { services } = await store.killAll({ key: this.#key('kill'), actor: { kind: 'person', name: by }, reason });
    this.#memory = { ...this.#memory, killed: true, because: `${reason} (${by})`, services };
    this.#show();
    await Promise.all(services.map((service) => tell(guardianId(service), messages.killSignal, { by, reason })));
    return accepted(`killed: ${services.join(', ') || 'no services are known yet'}`);
  }

  async #rearm(message: unknown): Promise<messages.Answer> {
    const token = tokenOf(message);
    if (token === null) return refused('rearm needs a signed token: `pawl rearm --all --print` makes one');
    const bound = { step: null, variant: null, evidence: null };
    const answer = await store.verifyToken({
      token,
      action: 'rearm',
      workflow: KILL_SWITCH_ID,
      ...bound,
      key: this.#key('token'),
      about: { service: FLEET },
    });
    if (!answer.valid) return refused(answer.because);
    const { person, reason } = answer.claims;
    await store.liftAll({ key: this.#key('lift'), actor: { kind: 'person', name: person }, reason });
    this.#memory = { ...this.#memory, killed: false, because: `${reason} (${person})` };
    this.#show();
    return accepted('the fleet may be armed again; each service stays killed until `pawl rearm SERVICE`');
  }

  #key(what: string): string {
    const n = this.#memory.effects + 1;
    this.#memory = { ...this.#memory, effects: n };
    return `${KILL_SWITCH_ID}/${workflowInfo().firstExecutionRunId}/${n}/${what}`;
  }

  #show(refusal?: string): void {
    const { killed, because, services } = this.#memory;
    const lines = [
      `the fleet is **${killed ? 'killed' : 'not killed'}** (${because})`,
      ...services.map((service) => `- ${service}`),
    ];
    setCurrentDetails([...lines, ...(refusal === undefined ? [] : [`last refused message: ${refusal}`])].join('\n'));
  }
}
