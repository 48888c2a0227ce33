import type { AbQuestion } from '../../contracts/ab-messages.ts';
import { restrictionOf, tokenOf } from '../../contracts/message-shapes.ts';
import type { Answer } from '../../contracts/messages.ts';
import type { Signatures } from '../cycle/signatures.ts';
import { accepted, refused } from '../messages.ts';

const NOBODY_WAITS = 'nothing waits for a decision now';

/**
 * What a person is asked where the figures alone do not decide. It is asked once, and answered once: by a signature on this
 * very question, by anybody's no, or by the time.
 */
export class Question {
  readonly #signatures: Signatures;
  /** Why nobody can say yes now; null where somebody can. */
  readonly #hindrance: () => string | null;
  readonly #changed: () => void;
  #asked: AbQuestion | null;
  #given: { readonly token: string; readonly answer: Answer } | null = null;

  constructor(
    signatures: Signatures,
    { asked, hindrance, changed }: { asked: AbQuestion | null; hindrance: () => string | null; changed: () => void },
  ) {
    this.#signatures = signatures;
    this.#asked = asked;
    this.#hindrance = hindrance;
    this.#changed = changed;
  }

  get asked(): AbQuestion | null {
    return this.#asked;
  }

  ask(question: Omit<AbQuestion, 'answer'>): void {
    this.#asked = { ...question, answer: null };
    this.#changed();
  }

  reject(message: unknown): Answer {
    if (!this.#asked || this.#asked.answer) return refused(NOBODY_WAITS);
    this.#answer({ decision: 'reject', ...restrictionOf(message) });
    return accepted('rejected');
  }

  async promote(message: unknown): Promise<Answer> {
    if (this.#given && tokenOf(message) === this.#given.token) return this.#given.answer;
    const question = this.#asked;
    const hindered = this.#hindrance();
    if (hindered !== null) return refused(hindered);
    if (!question || question.answer) return refused(NOBODY_WAITS);
    const verified = await this.#signatures.verify(message, 'promote', question, { approvedBy: [] });
    if (!verified.claims) return refused(verified.because);
    const late = this.#asked?.answer ? 'the decision was made meanwhile' : this.#hindrance();
    if (late !== null) return refused(late);
    const { person, role, reason } = verified.claims;
    const by = `${person} (${role})`;
    this.#answer({ decision: 'promote', by, reason });
    this.#given = { token: verified.token, answer: accepted(`${by} has decided: on to the canary`) };
    return this.#given.answer;
  }

  #answer(answer: NonNullable<AbQuestion['answer']>): void {
    if (this.#asked) this.#asked = { ...this.#asked, answer };
    this.#changed();
  }
}
