/**
 * What a canary asks people, one question at a time.
 *
 * 1. An answer is for the question that it was signed for: its step, the variant and the evidence.
 * 2. A question is answered once. Whoever comes later, or answers another one, is told so.
 */

import type { CanaryAnswer, CanaryMemory, CanaryQuestion } from '../../contracts/canary-messages.ts';
import { tokenOf } from '../../contracts/message-shapes.ts';
import type { Answer } from '../../contracts/messages.ts';
import type { SignedToken } from '../../contracts/token.ts';
import type { Signatures } from '../cycle/signatures.ts';
import { accepted, refused } from '../messages.ts';

const NOBODY_IS_ASKED = 'nothing waits for a decision now; `skip` passes over the present step';

export class Questions {
  readonly #signatures: Signatures;
  readonly #answers = new Map<SignedToken, Answer>();
  #asked: CanaryQuestion | null;
  #answer: CanaryAnswer | null;
  #count: number;

  constructor(
    signatures: Signatures,
    { asked, answer, questions }: Pick<CanaryMemory, 'asked' | 'answer' | 'questions'>,
  ) {
    this.#signatures = signatures;
    this.#asked = asked;
    this.#answer = answer;
    this.#count = questions;
  }

  get memory(): Pick<CanaryMemory, 'asked' | 'answer' | 'questions'> {
    return { asked: this.#asked, answer: this.#answer, questions: this.#count };
  }

  get asked(): CanaryQuestion | null {
    return this.#asked;
  }

  get answered(): boolean {
    return this.#answer !== null;
  }

  /** The question of that name, asked only if it does not wait already. */
  ask(question: Omit<CanaryQuestion, 'step' | 'since'> & { readonly step?: string }): {
    readonly isNew: boolean;
    readonly question: CanaryQuestion;
  } {
    if (this.#asked?.about === question.about) return { isNew: false, question: this.#asked };
    const step = question.step ?? `hold ${this.#count + 1}`;
    this.#count++;
    this.#answer = null;
    this.#asked = { ...question, step, since: new Date().toISOString() };
    return { isNew: true, question: this.#asked };
  }

  /** Takes the question back, with its answer. */
  close(): CanaryAnswer | null {
    const answer = this.#answer;
    this.#asked = null;
    this.#answer = null;
    return answer;
  }

  promote(message: unknown): Promise<Answer> {
    return this.#decide('promote', message);
  }

  async retry(message: unknown): Promise<Answer> {
    if (this.#asked?.kind === 'approval')
      return refused('an approval has nothing to measure anew; promote it, or abort');
    return this.#decide('retry', message);
  }

  async #decide(says: CanaryAnswer['says'], message: unknown): Promise<Answer> {
    const known = this.#answers.get(tokenOf(message) ?? '');
    if (known) return known;
    const asked = this.#asked;
    if (!asked || this.#answer) return refused(NOBODY_IS_ASKED);
    const verified = await this.#signatures.verify(message, says, asked, says === 'promote' ? { approvedBy: [] } : {});
    if (!verified.claims) return refused(verified.because);
    if (this.#asked !== asked || this.#answer) return refused('the decision was made meanwhile');
    const { person, reason } = verified.claims;
    this.#answer = { says, by: person, reason };
    const answer = accepted(says === 'promote' ? `${asked.step} goes on` : `${asked.step}: it is measured anew`);
    this.#answers.set(verified.token, answer);
    return answer;
  }
}
