/** How the weights of linear layers are written with fewer bits. */
import { z } from 'zod';

/**
 * - `int8`: a scale for each output; the layer's input is rounded too, anew for each run. The fastest on a CPU.
 * - `blocks`: a scale for each 32 weights; the layer's input stays as it is. Nearest to what it was made from.
 */
export const Scheme = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('int8') }),
  z.strictObject({ method: z.literal('blocks'), bits: z.literal([4, 8]), block: z.literal(32) }),
]);
export type Scheme = z.infer<typeof Scheme>;

export const SCHEMES = {
  int8: { method: 'int8' },
  blocks8: { method: 'blocks', bits: 8, block: 32 },
  blocks4: { method: 'blocks', bits: 4, block: 32 },
} as const satisfies Readonly<Record<string, Scheme>>;
export type SchemeName = keyof typeof SCHEMES;

/** What stands beside the weights, so that nobody takes the folder for what it was made from. */
export const QUANTISATION_FILE = 'quantization.json';
export const Quantisation = z.strictObject({
  scheme: Scheme,
  /** sha256 of the weights that it was made from. */
  of: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Quantisation = z.infer<typeof Quantisation>;
