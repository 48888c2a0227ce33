/** Cranfield: 225 questions on 1,400 abstracts of aerodynamics, in folds; each fold is asked of what the others taught. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseCorpus, parseJudgements, parseQueries } from '../../adapters/service/data.ts';
import { PawlError } from '../../contracts/failures.ts';
import { folds } from '../../domain/held-out.ts';
import type { GainTask } from './task.ts';

export const FOLDS = 5;

export function cranfieldFolds(folder: string, seed: number): GainTask[] {
  const read = (name: string) => ({ name, text: readFileSync(join(folder, name), 'utf8') });
  if (!existsSync(join(folder, 'corpus.jsonl'))) {
    throw new PawlError('SetupFailed', `There is no Cranfield collection in ${resolve(folder)}.`, {
      hint: 'Set PAWL_CRANFIELD to the folder that holds its corpus.jsonl, queries.jsonl and qrels-*.tsv.',
    });
  }
  // One abstract is empty: nothing can find it.
  const documents = parseCorpus(read('corpus.jsonl')).filter(({ title, text }) => `${title}${text}`.trim() !== '');
  const texts = parseQueries(read('queries.jsonl'));
  const judged = ['qrels-train.tsv', 'qrels-test.tsv'].flatMap((name) => [...parseJudgements(read(name))]);
  const queries = judged
    .map(([id, judgements]) => ({ id, text: texts.get(id) ?? '', judgements }))
    .filter(({ judgements }) => Object.values(judgements).some((grade) => grade > 0));
  return folds(queries, FOLDS, seed).map((test) => ({
    documents,
    test,
    train: queries.filter((query) => !test.includes(query)),
    dropped: {},
  }));
}
