/** The shape of an output before it is there: dimensions with a name are what the feeds say that they are. */
import type { InferenceSession } from 'onnxruntime-node';
import { PawlError } from '../../contracts/failures.ts';

type Metadata = Pick<InferenceSession, 'inputMetadata' | 'outputMetadata'>;
type Shapes = Readonly<Record<string, { readonly shape: readonly number[] }>>;

export const shapeOfOutput = (session: Metadata, name: string, feeds: Shapes, length: number): number[] => {
  const output = session.outputMetadata.find((one) => one.name === name);
  if (!output?.isTensor) throw new PawlError('Internal', `${name} is no tensor among the outputs.`);
  const known = namedDimensions(session, feeds);
  const shape = output.shape.map((dim) => (typeof dim === 'number' ? dim : known.get(dim)));
  const product = shape.reduce<number>((size, dim) => size * (dim ?? 1), 1);
  // One that no feed names follows from the size of the array.
  const whole = shape.filter((dim) => dim === undefined).length === 1 ? length / product : 1;
  const filled = shape.map((dim) => dim ?? whole);
  if (product * whole !== length || !Number.isInteger(whole)) {
    throw new PawlError('Internal', `The array for ${name} holds ${length} numbers; its shape is [${filled}].`);
  }
  return filled;
};

const namedDimensions = ({ inputMetadata }: Metadata, feeds: Shapes): ReadonlyMap<string, number> =>
  new Map(
    inputMetadata.flatMap((input) =>
      input.isTensor
        ? input.shape.flatMap((dim, at) => {
            const fed = feeds[input.name]?.shape[at];
            return typeof dim === 'string' && fed !== undefined ? [[dim, fed] as const] : [];
          })
        : [],
    ),
  );
