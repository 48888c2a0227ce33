import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { ModelCard } from '../../contracts/model.ts';
import { command, OF_SERVICE, serviceName } from '../command.ts';
import { LORA, loraOf, viewOf } from '../fine-tunes.ts';
import { bold, dim, short } from '../text.ts';

export const loraExport = command({
  name: 'lora export',
  about: "write a trained adapter as PEFT's folder, with its card",
  details: 'Python reads it with `PeftModel.from_pretrained(base, folder)`; `model-card.json` says how it was made.',
  arguments: [LORA],
  options: [OF_SERVICE, ['--to <folder>', 'a folder that is made, or is empty']],
  examples: ['pawl lora export latest --to adapter'],
  input: z.object({
    run: z.string().optional(),
    service: serviceName,
    to: z.string('is needed: name a folder').min(1),
  }),
  run: async ({ to, ...choice }, context) => {
    const named = await loraOf(context, choice);
    const { end } = (await viewOf(context, named)).status;
    if (!end?.card || !end.model) {
      throw new PawlError('NotFound', `${named.id} has no adapter${end ? `: it ended as ${end.outcome}` : ' yet'}.`, {
        hint: `\`pawl lora show ${named.id}\` says how it stands.`,
      });
    }
    const card = (await context.artifacts.getJson(end.card)) as ModelCard;
    const folder = resolve(to);
    await mkdir(folder, { recursive: true });
    const files = { ...card.files, 'model-card.json': end.card };
    for (const [name, ref] of Object.entries(files)) {
      await writeFile(join(folder, name), await context.artifacts.get(ref), { flag: 'wx' }).catch((cause: Error) => {
        throw new PawlError('Refused', `${join(folder, name)} cannot be written: ${cause.message}`, {
          hint: 'Name another folder: nothing is overwritten.',
          cause,
        });
      });
    }
    return {
      data: { ...named, model: end.model, folder, files: Object.keys(files) },
      lines: [[bold(short(end.model)), ' → ', folder], ...Object.keys(files).map((name) => [dim(`  ${name}`)])],
    };
  },
});
