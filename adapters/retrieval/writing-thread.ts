/** The thread that writes the file of an index. */
import { serveJobs } from '../../ml/session/jobs.ts';
import { type IndexFile, openToWrite } from './index-file.ts';
import { type IndexChanges, IndexWriter } from './index-writer.ts';

serveJobs<IndexFile, IndexChanges, null>(async (file) => {
  const database = openToWrite(file);
  const writer = new IndexWriter(database, file.recipe.tokenising);
  return {
    do: async (changes) => {
      writer.apply(changes);
      return { answer: null };
    },
    close: async () => database.close(),
  };
});
