/** Everything that ml/ is compared with PyTorch and PEFT in: held by the tests on a tiny model, by `bench parity` on a real one. */
import type { SessionChoice } from '../../ml/session/session.ts';
import { adapters, crossEncoder } from './adapters.ts';
import type { Compared, References } from './references.ts';
import { gradients, losses, training } from './steps.ts';
import { embeddings, tokenIds } from './texts.ts';

type Check = (references: References, choice: SessionChoice) => Promise<Compared[]>;

export const CHECKS: Readonly<Record<string, Check>> = {
  'token ids': tokenIds,
  embeddings,
  losses,
  'gradients of a step': gradients,
  'numbers after each of twenty steps': training,
  'embeddings with an adapter': adapters,
  'scores and gradients of a cross-encoder': crossEncoder,
};
