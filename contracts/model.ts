/** Models as Pawl knows them: base models that were imported, and adapters that were trained here. */
import type { ArtifactRef } from './artifact.ts';

/** Digests of a model's files, by their path inside its folder. The model's id is the sha256 of this, as canonical JSON. */
export type ModelFiles = Readonly<Record<string, string>>;

/** A base model in the cache: a folder that is never changed again, named by its digest. */
export interface ImportedModel {
  readonly id: string;
  /** As it was asked for: `file:DIR`, `hf:ORG/NAME` or `pypi:PACKAGE`, with the revision or version that came. */
  readonly source: string;
  readonly name: string;
  readonly files: ModelFiles;
  readonly importedAt: string;
}

export const MODEL_KINDS = ['encoder', 'cross-encoder', 'quantized encoder', 'adapter'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

/** What a model is, where it came from and what it reached; kept as an artifact, and listed by the registry. */
export interface ModelCard {
  readonly kind: ModelKind;
  readonly name: string;
  readonly service: string | null;
  /** The base model's id, and the models that this one was made from. */
  readonly base: string;
  readonly parents: readonly string[];
  /** Name → artifact: `adapter_config.json`, `adapter_model.safetensors` and so on. */
  readonly files: Readonly<Record<string, ArtifactRef>>;
  readonly data: {
    readonly train: ArtifactRef | null;
    readonly heldOut: ArtifactRef | null;
    readonly examples: number;
  };
  readonly metrics: Readonly<Record<string, number>>;
  /** How it was made: configuration and plan, ORT version, threads, CPU features. */
  readonly made: Readonly<Record<string, unknown>>;
  /** Largest difference between the served and the trained output; see PARITY. */
  readonly parity: number | null;
}

/** An adapter whose served output differs from the trained one by more than this is refused. */
export const PARITY = 1e-5;

export interface RegisteredModel {
  /** sha256 of its card. */
  readonly id: string;
  readonly kind: ModelKind;
  readonly name: string;
  readonly service: string | null;
  readonly base: string;
  readonly card: ArtifactRef;
  readonly createdAt: string;
}
