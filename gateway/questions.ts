/** Counts what is being worked on, so that nothing is taken from under it. */
export class Questions {
  #working = 0;
  readonly #waiting: Array<() => void> = [];

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#working++;
    try {
      return await work();
    } finally {
      if (--this.#working === 0) for (const go of this.#waiting.splice(0)) go();
    }
  }

  /** When nothing is worked on. Whoever calls it sees to it that nothing new comes. */
  answered(): Promise<void> {
    if (this.#working === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}
