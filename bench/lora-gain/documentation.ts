/**
 * The documentation of the installed packages as a question of retrieval: the first sentence of a symbol's doc comment
 * asks for its signature and the rest of the comment.
 *
 * Every document can be found, those of the packages that are learned from too; only the questions of packages held out
 * are asked. The same lockfile gives the same questions on every machine.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { familyOf, heldOutFamilies } from '../../domain/held-out.ts';
import { apartFrom, withoutNearDuplicates } from '../../domain/near-duplicates.ts';
import { hash32 } from '../../domain/random.ts';
import { normalised } from '../../domain/tokens.ts';
import { type Passage, passagesOf } from '../../infra/story/passages.ts';
import type { GainTask } from './task.ts';

/** So that a few large packages do not drown the others; gives about 6,000 documents. */
const MOST_OF_A_FAMILY = 260;
const HELD_OUT_SHARE = 0.25;
const HELD_OUT_QUERIES = 400;
/** Stricter than within one side: a comment that was taken over and edited teaches its original. */
const SAME_ACROSS = 0.3;
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

type Known = Passage & { readonly family: string; readonly id: string };

const wholeOf = ({ title, question, text }: Passage): string => `${title} ${question} ${text}`;

export function documentationTask(modules = MODULES): GainTask {
  const passages = capped(passagesOfAll(modules));
  const families = heldOutFamilies(
    passages.map(({ family }) => family),
    HELD_OUT_SHARE,
  );
  const heldOut = passages.filter(({ family }) => families.has(family));
  const learned = passages.filter(({ family }) => !families.has(family));
  const train = apartFrom(learned, heldOut, wholeOf, SAME_ACROSS);
  return {
    documents: passages.map(({ id, text }) => ({ id, title: '', text })),
    train: train.map(asked),
    test: heldOut.slice().sort(byQuestion).slice(0, HELD_OUT_QUERIES).map(asked),
    dropped: { 'near a document that is held out': learned.length - train.length },
  };
}

const asked = ({ id, question }: Known) => ({ id: `q-${id}`, text: question, judgements: { [id]: 1 } });
const byQuestion = (a: Known, b: Known): number => hash32(a.question) - hash32(b.question) || (a.id < b.id ? -1 : 1);

function passagesOfAll(modules: string): Known[] {
  const seen = new Set<string>();
  const all = packagesIn(modules)
    .flatMap((name) => passagesOf(modules, name).map((passage) => ({ ...passage, family: familyOf(name) })))
    .filter(({ from, question }) => {
      const repeated = seen.has(normalised(question));
      seen.add(normalised(question));
      return !repeated && !from.endsWith('.md');
    })
    .map((passage) => ({ ...passage, id: `${passage.family}-${hash32(wholeOf(passage)).toString(36)}` }));
  return withoutNearDuplicates(all, wholeOf);
}

const packagesIn = (modules: string): string[] =>
  readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((part) => `${name}/${part}`) : [name],
    )
    .sort();

function capped(passages: readonly Known[]): Known[] {
  const taken = new Map<string, number>();
  return [...passages].sort(byQuestion).filter(({ family }) => {
    const before = taken.get(family) ?? 0;
    taken.set(family, before + 1);
    return before < MOST_OF_A_FAMILY;
  });
}
