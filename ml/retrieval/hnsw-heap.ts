/** A binary heap of nodes by their scores, in two arrays that grow. */
export class NodeHeap {
  /** 1: the best on top; -1: the worst. */
  readonly #sign: 1 | -1;
  #nodes = new Int32Array(256);
  #keys = new Float64Array(256);
  #size = 0;

  constructor(top: 'best' | 'worst') {
    this.#sign = top === 'best' ? 1 : -1;
  }

  get size(): number {
    return this.#size;
  }

  /** Of a heap that is not empty. */
  get topScore(): number {
    return this.#sign * (this.#keys[0] as number);
  }

  clear(): void {
    this.#size = 0;
  }

  push(node: number, score: number): void {
    if (this.#size === this.#nodes.length) this.#grow();
    const [nodes, keys] = [this.#nodes, this.#keys];
    const key = this.#sign * score;
    let at = this.#size++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if ((keys[above] as number) >= key) break;
      keys[at] = keys[above] as number;
      nodes[at] = nodes[above] as number;
      at = above;
    }
    keys[at] = key;
    nodes[at] = node;
  }

  /** Takes the top off a heap that is not empty. */
  pop(): number {
    const [nodes, keys] = [this.#nodes, this.#keys];
    const top = nodes[0] as number;
    const size = --this.#size;
    const node = nodes[size] as number;
    const key = keys[size] as number;
    let at = 0;
    for (let below = 1; below < size; below = 2 * at + 1) {
      if (below + 1 < size && (keys[below + 1] as number) > (keys[below] as number)) below++;
      if ((keys[below] as number) <= key) break;
      keys[at] = keys[below] as number;
      nodes[at] = nodes[below] as number;
      at = below;
    }
    keys[at] = key;
    nodes[at] = node;
    return top;
  }

  #grow(): void {
    const [nodes, keys] = [this.#nodes, this.#keys];
    this.#nodes = new Int32Array(nodes.length * 2);
    this.#keys = new Float64Array(keys.length * 2);
    this.#nodes.set(nodes);
    this.#keys.set(keys);
  }
}
