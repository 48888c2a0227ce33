import { z } from 'zod';
import { indexesOf } from '../../adapters/retrieval/of-environment.ts';
import { command, SERVICE, serviceName } from '../command.ts';
import { TENANT, tenant } from '../keys.ts';
import { bold, dim, head, type Line, relative, short, table } from '../text.ts';

const SHOWN = 20;

export const indexLs = command({
  name: 'index ls',
  about: 'list the documents of a service, and the indexes over them',
  arguments: [SERVICE],
  options: [TENANT, ['--limit <number>', `so many documents at most (${SHOWN})`]],
  examples: ['pawl index ls', 'pawl index ls docs --json'],
  input: z.object({
    service: serviceName,
    tenant,
    limit: z.coerce.number().pipe(z.int().min(1).max(10_000)).default(SHOWN),
  }),
  run: async ({ service: named, tenant: of, limit }, context) => {
    const service = await context.service(named);
    const store = context.documents(service);
    const [counts, generation, documents] = [
      await store.counts(),
      await store.generation(),
      await store.list(of, { limit }),
    ];
    const indexes = await (await indexesOf(context.environment, context.paths.retrieval)).list(service);
    const now = Date.now();
    const lines: Line[] = [
      [bold(service), dim(`  ${counts.documents} documents, change ${counts.seq}, generation ${generation}`)],
      ...(documents.length === 0
        ? [[dim('none of this tenant yet')]]
        : table([
            head('document', 'title', 'characters', 'changed'),
            ...documents.map(({ id, title, characters, changedAt }) => [
              bold(id),
              title,
              String(characters),
              relative(new Date(changedAt).toISOString(), now),
            ]),
          ])),
      ...(indexes.length === 0
        ? [[dim('no index of parts yet: a variant of hybrid search gets one when it is loaded')]]
        : indexes.map((digest) => [dim('index '), short(digest)])),
    ];
    return {
      data: { service, tenant: of, ...counts, generation, documents, indexes },
      lines,
      next: [['Add some', 'pawl index add <path>']],
    };
  },
});

export const indexRebuild = command({
  name: 'index rebuild',
  about: 'cut and embed all documents anew, beside what serves',
  details:
    'A gateway that runs builds new indexes, and switches to each when it holds every document; until then the old ones answer. Without a gateway they are built when one starts.',
  arguments: [SERVICE],
  examples: ['pawl index rebuild', 'pawl index rebuild docs'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const service = await context.service(named);
    const generation = await context.documents(service).rebuild();
    return {
      data: { service, generation },
      lines: [[bold(service), ` indexes of generation ${generation} are built beside what serves`]],
      next: [['See how far it is', 'pawl status']],
    };
  },
});
