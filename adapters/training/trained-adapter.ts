/** The adapter in a checkpoint. */
import type { LoraConfig, TrainingPlan } from '../../contracts/lora.ts';
import type { EncoderModel } from '../../ml/encoder/open.ts';
import { type Adapter, newAdapter } from '../../ml/lora/adapter.ts';
import { latestCheckpoint } from '../../ml/train/checkpoint.ts';

const PARAMETER = 'parameter:';

/** `folder` holds the one checkpoint. */
export const adapterIn = (
  folder: string,
  model: EncoderModel,
  config: LoraConfig,
  { seed, component }: Pick<TrainingPlan, 'seed' | 'component'>,
): Adapter => {
  const { tensors } = latestCheckpoint(folder);
  const named = Object.entries(tensors).flatMap(([name, tensor]) =>
    name.startsWith(PARAMETER) ? [[name.slice(PARAMETER.length), tensor] as const] : [],
  );
  return { ...newAdapter(model, config, seed, component), tensors: new Map(named) };
};
