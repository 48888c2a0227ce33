/** An encoder by its ids: the base out of the cache, and the adapter out of the registry and the artifacts. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { PawlError } from '../../contracts/failures.ts';
import type { EncoderRef } from '../../contracts/inference.ts';
import type { Adapter } from '../../ml/lora/adapter.ts';
import { loadAdapter } from '../../ml/lora/files.ts';
import type { ArtifactStore } from '../artifacts/port.ts';
import type { ControlStore } from '../control/port.ts';
import { type ParityProbe, parityProbe } from '../training/parity.ts';
import type { ModelCache } from './cache.ts';

export interface OpenedEncoder {
  readonly folder: string;
  readonly adapter: Adapter | null;
  readonly adapterSide: 'both' | 'query';
  /** What the adapter computes where it was trained; whoever serves it proves that it does the same. */
  readonly probe: ParityProbe | null;
}
export interface EncoderSource {
  open(encoder: EncoderRef): Promise<OpenedEncoder>;
}

const artifact = z.object({ uri: z.string(), sha256: z.string() });
const AdapterCard = z.looseObject({
  kind: z.literal('adapter'),
  base: z.string(),
  files: z.object({
    'adapter_config.json': artifact,
    'adapter_model.safetensors': artifact,
    'parity.json': artifact,
  }),
  made: z.looseObject({ plan: z.looseObject({ side: z.enum(['both', 'query']) }).optional() }),
});

export const encoderSource = (deps: {
  readonly cache: Pick<ModelCache, 'open'>;
  readonly control: Pick<ControlStore, 'model'>;
  readonly artifacts: Pick<ArtifactStore, 'get' | 'getJson'>;
}): EncoderSource => ({
  open: async ({ base, adapter }) => {
    const { folder } = await deps.cache.open(base);
    if (adapter === null) return { folder, adapter: null, adapterSide: 'both', probe: null };
    const card = await cardOf(deps, adapter);
    if (card.base !== base) {
      throw new PawlError(
        'Refused',
        `The adapter ${adapter} was trained over the base ${card.base}, not over ${base}`,
        {
          hint: 'Name the base that its card names: `pawl model show` prints it.',
        },
      );
    }
    const { 'parity.json': probe, ...files } = card.files;
    return {
      folder,
      adapter: await filesOf(deps.artifacts, files),
      adapterSide: card.made.plan?.side ?? 'both',
      probe: parityProbe.parse(await deps.artifacts.getJson(probe)),
    };
  },
});

const cardOf = async (
  { control, artifacts }: Pick<Parameters<typeof encoderSource>[0], 'control' | 'artifacts'>,
  id: string,
): Promise<z.infer<typeof AdapterCard>> => {
  const registered = await control.model(id);
  if (registered === null) {
    throw new PawlError('NotFound', `There is no model ${id}`, { hint: '`pawl model ls` lists those that are.' });
  }
  const card = AdapterCard.safeParse(await artifacts.getJson(registered.card));
  if (card.success) return card.data;
  throw new PawlError('ConfigInvalid', `The model ${id} is no adapter: ${card.error.issues[0]?.message}`, {
    hint: 'Name an adapter of `pawl model ls`, or none.',
  });
};

/** PEFT's format is a folder; what is loaded from it is checked against the base by whoever computes with it. */
const filesOf = async (
  artifacts: Pick<ArtifactStore, 'get'>,
  files: Omit<z.infer<typeof AdapterCard>['files'], 'parity.json'>,
): Promise<Adapter> => {
  const folder = await mkdtemp(join(tmpdir(), 'pawl-adapter-'));
  try {
    for (const [name, ref] of Object.entries(files)) await writeFile(join(folder, name), await artifacts.get(ref));
    return loadAdapter(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
