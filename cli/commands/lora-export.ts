import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { encoderSource } from '../../adapters/models/encoder-source.ts';
import type { ArtifactRef } from '../../contracts/artifact.ts';
import { PawlError } from '../../contracts/failures.ts';
import type { ModelCard } from '../../contracts/model.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import { LORA, loraOf, type NamedLora, viewOf } from '../fine-tunes.ts';
import { bold, dim, type Line, short } from '../text.ts';

const CARD = 'model-card.json';

export const loraExport = command({
  name: 'lora export',
  about: "write a trained adapter as PEFT's folder, or merged into its base as a whole model",
  details:
    'Python reads --to with `PeftModel.from_pretrained(base, folder)`, and --merged as any sentence encoder; `model-card.json` says how it was made. A merged model is proven to give the vectors of base and adapter within 1e-5.',
  arguments: [LORA],
  options: [
    OF_SERVICE,
    ['--to <folder>', 'a folder for the adapter, that is made or is empty'],
    ['--merged <folder>', 'a folder for base and adapter in one; not of a reranker'],
  ],
  examples: ['pawl lora export latest --to adapter', 'pawl lora export latest --merged model'],
  input: z.object({
    ...{ run: z.string().optional(), service: serviceName },
    ...{ to: z.string().min(1).optional(), merged: z.string().min(1).optional() },
  }),
  run: async ({ to, merged, ...choice }, context) => {
    if (to === undefined && merged === undefined) {
      throw new PawlError('Usage', 'lora export: no folder was named.', {
        hint: 'Name one with --to, or with --merged.',
      });
    }
    const named = await loraOf(context, choice);
    const { model, ref, card } = await trainedBy(context, named);
    const adapter = to === undefined ? null : await adapterInto(context, to, card, ref);
    const whole = merged === undefined ? null : await wholeInto(context, merged, { model, ref, card });
    return {
      data: { ...named, model, ...adapter, ...(whole && { merged: whole }) },
      lines: [
        ...(adapter ? written(short(model), adapter.folder, adapter.files) : []),
        ...(whole ? written(`${short(model)} over ${short(card.base)}`, whole.folder, whole.files) : []),
        ...(whole?.queriesOnly ? ['It is for queries: documents keep the vectors of the base.'] : []),
      ],
    };
  },
});

interface Trained {
  readonly model: string;
  readonly ref: ArtifactRef;
  readonly card: ModelCard;
}

const trainedBy = async (context: Context, named: NamedLora): Promise<Trained> => {
  const { end } = (await viewOf(context, named)).status;
  if (!end?.card || !end.model) {
    throw new PawlError('NotFound', `${named.id} has no adapter${end ? `: it ended as ${end.outcome}` : ' yet'}.`, {
      hint: `\`pawl lora show ${named.id}\` says how it stands.`,
    });
  }
  return { model: end.model, ref: end.card, card: (await context.artifacts.getJson(end.card)) as ModelCard };
};

const adapterInto = async (context: Context, to: string, card: ModelCard, ref: ArtifactRef) => {
  const folder = resolve(to);
  await mkdir(folder, { recursive: true });
  const files = { ...card.files, [CARD]: ref };
  for (const [name, of] of Object.entries(files)) {
    await writeFile(join(folder, name), await context.artifacts.get(of), { flag: 'wx' }).catch((cause: Error) => {
      throw new PawlError('Refused', `${join(folder, name)} cannot be written: ${cause.message}`, {
        hint: 'Name another folder: nothing is overwritten.',
        cause,
      });
    });
  }
  return { folder, files: Object.keys(files) };
};

const wholeInto = async (context: Context, merged: string, { model, ref, card }: Trained) => {
  const folder = resolve(merged);
  if ((await readdir(folder).catch(() => [])).length > 0) {
    throw new PawlError('Refused', `${folder} is not empty.`, { hint: 'Name another folder: nothing is overwritten.' });
  }
  const { models: cache, control, artifacts } = context;
  const opened = await encoderSource({ cache, control, artifacts }).open({ base: card.base, adapter: model });
  // Loaded when it is needed: it brings ONNX Runtime.
  const { mergedModel } = await import('../../adapters/training/merged-model.ts');
  const parity = await context.out.progress('Merging', () => mergedModel(opened, folder));
  await writeFile(join(folder, CARD), await artifacts.get(ref));
  const files = (await readdir(folder)).sort();
  return { folder, files, parity, queriesOnly: opened.adapterSide === 'query' };
};

const written = (what: string, folder: string, files: readonly string[]): Line[] => [
  [bold(what), ' → ', folder],
  ...files.map((name): Line => [dim(`  ${name}`)]),
];
