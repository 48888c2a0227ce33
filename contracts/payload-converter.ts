/**
 * Temporal's JSON payloads, read without ever throwing.
 *
 * A signal whose payload cannot be decoded would otherwise fail every workflow task from then on, so anyone who reaches
 * Temporal could stop a guardian for ever with one malformed message. Here it arrives as `{ unreadable: why }`, which the
 * narrowing of messages treats as what it is: nothing usable. A kill that cannot be read still kills.
 */
import { DefaultPayloadConverter, type Payload, type PayloadConverter } from '@temporalio/common';

class TolerantPayloadConverter implements PayloadConverter {
  readonly #json = new DefaultPayloadConverter();

  toPayload<T>(value: T): Payload {
    return this.#json.toPayload(value);
  }

  fromPayload<T>(payload: Payload): T {
    try {
      return this.#json.fromPayload<T>(payload);
    } catch (error) {
      return { unreadable: error instanceof Error ? error.message : String(error) } as T;
    }
  }
}

export const payloadConverter = new TolerantPayloadConverter();
