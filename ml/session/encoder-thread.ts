/** A thread that holds an encoder. */
import type { Adapter } from '../lora/adapter.ts';
import { serveJobs } from './jobs.ts';
import { type PairOrder, ServedEncoder, type TextOrder } from './served-encoder.ts';
import type { SessionChoice } from './session.ts';

export interface EncoderStanding {
  readonly folder: string;
  readonly choice: SessionChoice;
  readonly adapters: readonly (readonly [name: string, adapter: Adapter])[];
}
export type EncoderJob =
  | ({ readonly kind: 'encode' } & TextOrder)
  | ({ readonly kind: 'score' } & PairOrder)
  | { readonly kind: 'add'; readonly name: string; readonly adapter: Adapter }
  | { readonly kind: 'remove'; readonly name: string };

const NOTHING = new Float32Array();

serveJobs<EncoderStanding, EncoderJob, Float32Array>(async ({ folder, choice, adapters }) => {
  const encoder = new ServedEncoder(folder, choice);
  for (const [name, adapter] of adapters) encoder.addAdapter(name, adapter);
  await encoder.warm();

  const done = async (job: EncoderJob): Promise<Float32Array> => {
    if (job.kind === 'encode') return encoder.encode(job);
    if (job.kind === 'score') return encoder.score(job);
    if (job.kind === 'add') {
      encoder.addAdapter(job.name, job.adapter);
      await encoder.warm();
    } else encoder.removeAdapter(job.name);
    return NOTHING;
  };
  return {
    do: async (job) => {
      const answer = await done(job);
      return answer === NOTHING ? { answer } : { answer, transfer: [answer.buffer as ArrayBuffer] };
    },
    close: () => encoder.close(),
  };
});
