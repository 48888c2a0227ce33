/** What a safetensors file looks like: eight bytes with the length of a JSON header, the header, the bytes of the tensors. */

export const DTYPES = ['F32', 'F16', 'BF16', 'I64', 'I32', 'U8', 'I8', 'BOOL'] as const;
export type StoredType = (typeof DTYPES)[number];

/** Bytes of one element. */
export const WIDTH = { F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, U8: 1, I8: 1, BOOL: 1 } as const satisfies Record<
  StoredType,
  number
>;

/** Where the header starts: after its own length. */
export const HEADER_AT = 8;
/** The limit of the reference implementation; a longer header is an attack or no safetensors file. */
export const LONGEST_HEADER = 100_000_000;
export const METADATA = '__metadata__';

export interface StoredTensor {
  readonly name: string;
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly file: string;
  /** In the file, not in its part after the header. */
  readonly offset: number;
  readonly length: number;
}

export interface Safetensors {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}
