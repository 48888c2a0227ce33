/**
 * An adapter made part of the weights, and taken out again.
 *
 * What was merged cannot be subtracted exactly: a sum of floats is rounded. So merging never writes over the base, and taking an
 * adapter out proves that it is what was put in, and gives the base's own numbers back.
 */
import { join } from 'node:path';
import { PawlError } from '../../contracts/failures.ts';
import { copyDescription } from '../encoder/description.ts';
import { type EncoderModel, WEIGHTS_FILE } from '../encoder/open.ts';
import type { StoredTensor } from '../safetensors/format.ts';
import { readFloats } from '../safetensors/read.ts';
import { writeSafetensors } from '../safetensors/write.ts';
import { type Adapter, adapterShape, type FloatTensor, scoresPairs } from './adapter.ts';
import { rowNormsOf } from './decomposed.ts';
import { type LoraLayer, lowerName, magnitudeName, upperName } from './shape.ts';

/** The weights that an adapter changes, by their names in the model's file. */
export function mergedWeights(model: EncoderModel, adapter: Adapter): Map<string, Float32Array> {
  const { layers, decomposed } = adapterShape(model, adapter);
  return new Map(
    [...layers.values()].map((layer) => {
      const merged = mergedWeight(model, layer, adapter);
      if (decomposed) scaleRows(merged, layer, adapter);
      return [stored(model, layer).name, merged];
    }),
  );
}

/** A model's folder of its own, which needs no adapter any more. Its weights are single floats, whatever the base's are. */
export function writeMerged(model: EncoderModel, adapter: Adapter, into: string): void {
  if (scoresPairs(adapter)) {
    throw new PawlError(
      'Refused',
      'The adapter of a reranker has a head of its own, which no encoder has a place for.',
      {
        hint: 'Export it as PEFT writes it, and load it over its base.',
      },
    );
  }
  const merged = mergedWeights(model, adapter);
  copyDescription(model.folder, into);
  const tensors = [...model.tensors.values()].map(
    (tensor) => [tensor.name, { shape: tensor.shape, data: merged.get(tensor.name) ?? readFloats(tensor) }] as const,
  );
  // Last, and whole or not at all: a folder without its weights is no model.
  writeSafetensors(join(into, WEIGHTS_FILE), Object.fromEntries(tensors));
}

/** The base's own weights again, bit for bit; refused where `merged` is not this base with this adapter. */
export function unmergedWeights(
  model: EncoderModel,
  adapter: Adapter,
  merged: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const expected = mergedWeights(model, adapter);
  const other = [...expected].find(([name, weight]) => !sameFloats(weight, merged.get(name)));
  if (other || merged.size !== expected.size) {
    throw new PawlError(
      'Refused',
      `${other?.[0] ?? 'A further tensor'} was not merged from this base and this adapter`,
      {
        hint: 'Take out the adapter that was merged, over the base that it was merged into.',
      },
    );
  }
  const byName = new Map([...model.tensors.values()].map((tensor) => [tensor.name, tensor]));
  return new Map([...expected.keys()].map((name) => [name, readFloats(byName.get(name) as StoredTensor)]));
}

/** W + scale·B·A; sums are kept in double precision and rounded once. */
export function mergedWeight(model: EncoderModel, layer: LoraLayer, adapter: Adapter): Float32Array {
  const { rank, inputs, outputs, scale } = layer;
  const weight = readFloats(stored(model, layer));
  const lower = (adapter.tensors.get(lowerName(layer)) as FloatTensor).data;
  const upper = (adapter.tensors.get(upperName(layer)) as FloatTensor).data;
  const row = new Float64Array(inputs);
  for (let output = 0; output < outputs; output++) {
    row.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * (upper[output * rank + r] as number);
      for (let i = 0; i < inputs; i++) (row[i] as number) += factor * (lower[r * inputs + i] as number);
    }
    for (let i = 0; i < inputs; i++) (weight[output * inputs + i] as number) += row[i] as number;
  }
  return weight;
}

const scaleRows = (weight: Float32Array, layer: LoraLayer, adapter: Adapter): void => {
  const { inputs, outputs } = layer;
  const norms = rowNormsOf(weight, outputs, inputs);
  const magnitudes = (adapter.tensors.get(magnitudeName(layer)) as FloatTensor).data;
  for (let i = 0; i < weight.length; i++) {
    const row = Math.floor(i / inputs);
    (weight[i] as number) *= (magnitudes[row] as number) / (norms[row] as number);
  }
};

const stored = (model: EncoderModel, { module }: LoraLayer): StoredTensor =>
  model.tensors.get(`${module}.weight`) as StoredTensor;

const sameFloats = (a: Float32Array, b: Float32Array | undefined): boolean =>
  b !== undefined && a.length === b.length && a.every((value, i) => Object.is(value, b[i]));
