/** An encoder from its folder, checked as a whole before anything is computed with it. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Safetensors } from '../safetensors/format.ts';
import { openSafetensors } from '../safetensors/read.ts';
import { type BertConfig, readConfig } from './config.ts';
import { readPooling } from './pooling.ts';
import { type BertWeights, checkWeights } from './weights.ts';

export interface EncoderModel {
  readonly folder: string;
  readonly config: BertConfig;
  readonly weights: Safetensors;
  /** The tensors that are computed with, by their names in a bare BERT. */
  readonly tensors: BertWeights;
  readonly pooling: 'mean' | 'cls';
  readonly normalise: boolean;
  readonly maxLength: number;
  readonly dimensions: number;
  /** sha256 of the weights' file: what an adapter is bound to. Read when it is first asked for. */
  readonly digest: string;
}

export const WEIGHTS_FILE = 'model.safetensors';

/** `weights` where they are not to be taken as the file has them. */
export function openEncoder(folder: string, weights = openSafetensors(join(folder, WEIGHTS_FILE))): EncoderModel {
  const config = readConfig(folder);
  const { pooling, normalise, maxLength } = readPooling(folder);
  let digest: string | undefined;
  return {
    folder,
    config,
    weights,
    tensors: checkWeights(weights, config),
    pooling,
    normalise,
    maxLength: Math.min(maxLength ?? config.positions, config.positions),
    dimensions: config.hidden,
    get digest() {
      digest ??= sha256OfFile(weights.path);
      return digest;
    },
  };
}

/** A piece at a time: the file may be larger than what memory is free. */
const sha256OfFile = (path: string): string => {
  const hash = createHash('sha256');
  const piece = Buffer.alloc(1 << 22);
  const file = openSync(path, 'r');
  try {
    for (let read = readSync(file, piece); read > 0; read = readSync(file, piece)) hash.update(piece.subarray(0, read));
  } finally {
    closeSync(file);
  }
  return hash.digest('hex');
};
