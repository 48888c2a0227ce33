import { z } from 'zod';
import { lineOf } from '../../adapters/documents/corpus-task.ts';
import { documentsIn } from '../../adapters/documents/files.ts';
import type { DocumentStore } from '../../adapters/documents/port.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { SourceDocument } from '../../contracts/retrieval.ts';
import { command, flag, OF_SERVICE, serviceName } from '../command.ts';
import { TENANT, tenant } from '../keys.ts';
import { bold, dim, type Line, warn } from '../text.ts';

/** Documents of one transaction. */
const AT_ONCE = 1_000;
const SHOWN = 5;
const HAND = 'hand';
const IMPORTED = 'import';

export const indexAdd = command({
  name: 'index add',
  about: 'add documents to a service, or put them in the place of those with the same ids',
  details: [
    'JSON lines ({"_id", "title", "text", "format", "metadata"}) hold many documents; every other file is one, named by its path; of folders every text is taken.',
    'What is added by hand is not undone when the corpus file changes. A gateway that runs takes it up within seconds.',
  ].join(' '),
  arguments: [['<path...>', 'files and folders']],
  options: [OF_SERVICE, TENANT],
  examples: ['pawl index add docs/', 'pawl index add manual.jsonl --service docs'],
  input: z.object({
    path: z.array(z.string()).min(1),
    service: serviceName,
    tenant,
  }),
  run: async ({ path, service: named, tenant: of }, context) => {
    const service = await context.service(named);
    const { documents, skipped } = documentsIn(path, process.cwd());
    if (documents.length === 0) {
      throw new PawlError('NoData', `There is no document in ${path.join(', ')}.`, {
        hint: 'Name files of text, JSON lines, or folders that hold some.',
      });
    }
    const store = context.documents(service);
    let changed = 0;
    await context.out.progress(`Adding ${documents.length} documents`, async (tell) => {
      for (let from = 0; from < documents.length; from += AT_ONCE) {
        changed += (await store.put(of, documents.slice(from, from + AT_ONCE), HAND)).changed;
        tell(`${Math.min(documents.length, from + AT_ONCE)} of ${documents.length}`);
      }
    });
    return {
      data: { service, tenant: of, documents: documents.length, changed, skipped },
      lines: [[bold(`${documents.length} documents`), `, ${changed} of them new or changed`], ...skippedLines(skipped)],
      next: [['See what there is', 'pawl index ls']],
    };
  },
});

const skippedLines = (skipped: readonly { readonly file: string; readonly because: string }[]): Line[] => [
  ...skipped.slice(0, SHOWN).map(({ file, because }) => [warn('left out '), `${file}: ${because}`]),
  ...(skipped.length > SHOWN ? [[dim(`… and ${skipped.length - SHOWN} files more`)]] : []),
];

export const indexImport = command({
  name: 'index import',
  about: 'bring in what `pawl index export` wrote',
  arguments: [['<path>', 'a file of JSON lines']],
  options: [OF_SERVICE, TENANT, ['--replace', 'remove what an earlier import brought and this file does not hold']],
  examples: ['pawl index import documents.jsonl', 'pawl index import documents.jsonl --replace'],
  input: z.object({ path: z.string(), service: serviceName, tenant, replace: flag }),
  run: async ({ path, service: named, tenant: of, replace }, context) => {
    const service = await context.service(named);
    const { documents } = documentsIn([path], process.cwd());
    const store = context.documents(service);
    const done = await context.out.progress(`Importing ${documents.length} documents`, async () =>
      replace
        ? store.sync(of, documents, IMPORTED)
        : { added: 0, removed: 0, ...(await store.put(of, documents, IMPORTED)) },
    );
    return {
      data: { service, tenant: of, documents: documents.length, ...done },
      lines: [
        [
          bold(`${documents.length} documents`),
          `: ${done.changed + done.added} new or changed, ${done.removed} removed`,
        ],
      ],
      next: [['See what there is', 'pawl index ls']],
    };
  },
});

export const indexExport = command({
  name: 'index export',
  about: 'print the documents of a service as JSON lines, in the order of their ids',
  options: [OF_SERVICE, TENANT],
  examples: ['pawl index export > documents.jsonl'],
  input: z.object({ service: serviceName, tenant }),
  run: async ({ service: named, tenant: of }, context) => {
    const store = context.documents(await context.service(named));
    for await (const document of documentsOf(store, of)) process.stdout.write(`${lineOf(document)}\n`);
    return undefined;
  },
});

async function* documentsOf(store: DocumentStore, of: string): AsyncGenerator<SourceDocument> {
  for (let after = ''; ; ) {
    const page = await store.list(of, { after, limit: AT_ONCE });
    const last = page.at(-1);
    if (last === undefined) return;
    for (const { id } of page) {
      const document = await store.get(of, id);
      if (document) yield document;
    }
    after = last.id;
  }
}
