import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';

/** The first answer to a key. */
export interface GivenAnswer {
  /** Digest of what was asked. */
  readonly asked: string;
  /** As JSON. */
  readonly answer: string;
  readonly at: string;
}

export const firstAnswer = <A>(key: string, asked: string, first: GivenAnswer, answer: z.ZodType<A>): A => {
  if (first.asked === asked) return answer.parse(JSON.parse(first.answer));
  throw new PawlError('Usage', `The key ${JSON.stringify(key)} was already used for something else`, {
    hint: 'Nothing was changed. A key belongs to one order: repeat that order as it was, or take a new key.',
  });
};

export const digestOf = (kind: string, order: { readonly key: string }): string => {
  if (order.key === '') throw new PawlError('Usage', `A ${kind} needs a key that is not empty`);
  try {
    return createHash('sha256')
      .update(canonicalJson([kind, order]))
      .digest('hex');
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new PawlError('Usage', `The ${kind} of key ${JSON.stringify(order.key)} is not JSON: ${message}`, { cause });
  }
};
