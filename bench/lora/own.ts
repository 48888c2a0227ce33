/** Pawl's side of `bench lora`, in a process of its own so that its memory is its own: the words are those of peer.py. */
import { env } from 'onnxruntime-node';
import { openEncoder } from '../../ml/encoder/open.ts';
import { Trainer, type TrainerOptions } from '../../ml/train/trainer.ts';
import { answer, orders } from '../own-side.ts';

export type OwnSetup = Omit<TrainerOptions, 'model' | 'memory'> & { readonly folder: string };

const resident = (): number => process.memoryUsage.rss();
/** Node says kilobytes on every system. */
const peak = (): number => process.resourceUsage().maxRSS * 1_024;

const startBytes = resident();
let trainer: Trainer | null = null;
for await (const { setup } of orders<{ readonly setup?: OwnSetup }>()) {
  if (setup) {
    const { folder, ...options } = setup;
    trainer = await Trainer.open({ ...options, model: openEncoder(folder) });
    const parameters = [...trainer.adapter().tensors.values()].reduce((sum, { data }) => sum + data.length, 0);
    const versions = { node: process.versions.node, onnxruntime: env.versions.node ?? '' };
    answer('ready', { parameters, startBytes, bytes: resident(), versions });
  } else if (trainer) {
    const began = performance.now();
    const { loss, gradientNorm } = await trainer.step();
    const seconds = (performance.now() - began) / 1_000;
    answer('stepped', { seconds, loss, gradientNorm, bytes: resident(), peakBytes: peak() });
  }
}
