/**
 * Work that several ask for at once is done once: whoever asks while it runs gets its end, also when it fails. So it must not
 * depend on any one of those who ask, such as on a request that may be given up.
 */
export const flights = <T>(): ((key: string, work: () => Promise<T>) => Promise<T>) => {
  const running = new Map<string, Promise<T>>();
  return (key, work) => {
    const joined = running.get(key);
    if (joined) return joined;
    const started = work().finally(() => running.delete(key));
    running.set(key, started);
    return started;
  };
};
