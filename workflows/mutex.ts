/** One at a time, in the order of asking. For handlers that await. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();
  #inside = 0;

  run<T>(work: () => Promise<T>): Promise<T> {
    this.#inside++;
    const mine = this.#last.then(work).finally(() => {
      this.#inside--;
    });
    this.#last = mine.catch(() => undefined); // the next in line does not care how this one ended
    return mine;
  }

  get idle(): boolean {
    return this.#inside === 0;
  }

  /** So many wait that another one is turned away: a flood of messages must not fill the history with work. */
  get crowded(): boolean {
    return this.#inside >= 100;
  }
}
