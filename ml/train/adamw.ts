/**
 * AdamW: decoupled weight decay (Loshchilov and Hutter, 2019) over all parameters, which lie in one array after one another.
 *
 * It computes in double precision and keeps single, so it agrees with PyTorch's up to rounding.
 */
export interface AdamWOptions {
  readonly weightDecay: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

export class AdamW {
  /** Running means of the gradient and of its square. */
  readonly first: Float32Array;
  readonly second: Float32Array;
  steps = 0;
  readonly #options: Required<AdamWOptions>;

  constructor(size: number, options: AdamWOptions) {
    this.#options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...options };
    this.first = new Float32Array(size);
    this.second = new Float32Array(size);
  }

  /** Moves the parameters in place. `scale` is what clipping leaves of the gradient. */
  update(parameters: Float32Array, gradient: Float32Array, learningRate: number, scale = 1): void {
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const { first, second } = this;
    this.steps += 1;
    const size = learningRate / (1 - beta1 ** this.steps);
    const correction = Math.sqrt(1 - beta2 ** this.steps);
    const kept = 1 - learningRate * weightDecay;
    for (let i = 0; i < parameters.length; i++) {
      const slope = (gradient[i] as number) * scale;
      const mean = beta1 * (first[i] as number) + (1 - beta1) * slope;
      const square = beta2 * (second[i] as number) + (1 - beta2) * slope * slope;
      first[i] = mean;
      second[i] = square;
      parameters[i] = kept * (parameters[i] as number) - (size * mean) / (Math.sqrt(square) / correction + epsilon);
    }
  }
}
