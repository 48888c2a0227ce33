/** Walks the tape back from a loss: each step gets the gradients of its outputs, and gives those of its inputs. */
import type { BackwardStep, Gradient } from './backward.ts';
import type { Step } from './builder.ts';
import type { Graph } from './graph.ts';
import { type Dim, type Shape, sameShape, shapeError, type Tensor } from './tensor.ts';

export const walkBack = (
  graph: Graph,
  tape: readonly Step[],
  loss: Tensor,
  of: readonly Tensor[],
  seed: Tensor,
): Tensor[] => {
  const found = new Map<string, Tensor>([[loss.name, graph.stop(seed)]]);
  const collect = (input: Tensor, gradient: Gradient): void => {
    const before = found.get(input.name) ?? null;
    found.set(input.name, typeof gradient === 'function' ? gradient(before) : added(graph, before, gradient, input));
  };
  // The backward pass itself is built of stopped tensors, and so adds nothing to the tape.
  for (const { inputs, outputs, attributes, rule } of tape.toReversed()) {
    const arrived = outputs.map(({ name }) => found.get(name));
    if (!arrived[0]) continue;
    const stopped = inputs.map((input) => (input ? graph.stop(input) : null));
    const step = { inputs, values: stopped, outputs: outputs.map((output) => graph.stop(output)), attributes };
    const gradients = rule(graph, step as unknown as BackwardStep, [arrived[0]]);
    for (const [i, input] of inputs.entries()) {
      const gradient = gradients[i];
      if (input?.needsGradient && gradient) collect(input, gradient);
    }
  }
  return of.map((tensor) => {
    const gradient = found.get(tensor.name);
    if (!gradient) throw shapeError(`the loss does not depend on ${tensor.name}`);
    return gradient;
  });
};

const added = (graph: Graph, before: Tensor | null, gradient: Tensor, input: Tensor): Tensor => {
  const fitting = summedTo(graph, gradient, input);
  return before ? graph.add(before, fitting) : fitting;
};

/** The gradient of a tensor that was broadcast: summed over what it was repeated along. */
const summedTo = (graph: Graph, gradient: Tensor, to: Tensor): Tensor => {
  if (sameShape(gradient.shape, to.shape)) return gradient;
  const extra = gradient.shape.length - to.shape.length;
  const repeated = (dim: Dim, i: number) => i < extra || (to.shape[i - extra] === 1 && dim !== 1);
  const axes = axesWhere(gradient.shape, repeated);
  const summed = graph.sum(gradient, axes);
  return extra === 0
    ? summed
    : graph.squeeze(
        summed,
        axesWhere(summed.shape, (_, i) => i < extra),
      );
};

const axesWhere = (shape: Shape, test: (dim: Dim, i: number) => boolean): number[] =>
  shape.flatMap((dim, i) => (test(dim, i) ? [i] : []));
