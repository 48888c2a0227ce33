/** The thread that answers by words. */
import { serveJobs } from '../../ml/session/jobs.ts';
import { type IndexFile, openToRead } from './index-file.ts';
import type { LegAnswer } from './leg.ts';
import { LexicalLeg, type LexicalQuestion } from './lexical-leg.ts';

serveJobs<IndexFile, LexicalQuestion, LegAnswer>(async ({ folder, recipe }) => {
  const db = openToRead(folder);
  const leg = new LexicalLeg(db, recipe.tokenising);
  return {
    do: async (question) => ({ answer: leg.search(question) }),
    close: async () => db.close(),
  };
});
