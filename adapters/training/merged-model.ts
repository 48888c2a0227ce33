/** An adapter made part of its base, in a folder that any program reads, and proven to compute what the two compute together. */
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { PawlError } from '../../contracts/failures.ts';
import { openEncoder } from '../../ml/encoder/open.ts';
import { writeMerged } from '../../ml/lora/merge.ts';
import { ServedEncoder } from '../../ml/session/served-encoder.ts';
import type { OpenedEncoder } from '../models/encoder-source.ts';
import { proveParity } from './parity.ts';

/** `into` is made here, and removed again where the proof fails. Answers with how far apart the two are. */
export const mergedModel = async ({ folder, adapter, probe }: OpenedEncoder, into: string): Promise<number> => {
  if (!adapter || !probe) throw new PawlError('Usage', `There is no adapter to merge into ${folder}.`);
  writeMerged(openEncoder(folder), adapter, into);
  const encoder = new ServedEncoder(into, { provider: 'cpu', threads: availableParallelism(), arena: true });
  try {
    return await proveParity('The merged model', probe, async (rows, lengths) => {
      const results: Float32Array[] = [];
      for (const row of rows) {
        if ('pair' in row) throw new PawlError('Internal', 'An encoder has pairs in its proof.');
        results.push(await encoder.encode({ texts: [row.text], maxLength: lengths[row.side], adapter: null }));
      }
      return results;
    });
  } catch (error) {
    await rm(into, { recursive: true, force: true });
    throw error;
  } finally {
    await encoder.close();
  }
};
