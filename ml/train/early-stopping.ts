/** When training is told to end for want of gain, and which state of it was the best. */
export interface Progress {
  readonly best: number | null;
  readonly bestStep: number | null;
  /** Evaluations since the best one. */
  readonly without: number;
}

export const NO_PROGRESS: Progress = { best: null, bestStep: null, without: 0 };

/** A figure that is not a number is no gain. */
export function progressed(before: Progress, step: number, figure: number): Progress {
  const better = before.best === null ? !Number.isNaN(figure) : figure > before.best;
  return better ? { best: figure, bestStep: step, without: 0 } : { ...before, without: before.without + 1 };
}

/** `patience` evaluations in a row brought no gain; 0 never stops. */
export const outOfPatience = ({ without }: Progress, patience: number): boolean => patience > 0 && without >= patience;
