import { later } from '../postgres/later.ts';
import type { FeedbackStore } from './port.ts';

/** Feedback that gateways on several machines take, about answers that any of them gave. */
export const postgresFeedback = (address: string): FeedbackStore => {
  const { ask, close } = later(address, async () =>
    (await import('./postgres-statements.ts')).postgresFeedbackStatements(address),
  );
  return {
    add: (told) => ask((store) => store.add(told)),
    received: (window) => ask((store) => store.received(window)),
    judgements: (window) => ask((store) => store.judgements(window)),
    close,
  };
};
