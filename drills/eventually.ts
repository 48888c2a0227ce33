import { setTimeout as pause } from 'node:timers/promises';

/** Asks again until the answer is what is waited for; the test's own time-out is the limit. */
export const eventually = async <T>(
  ask: () => T | Promise<T>,
  until: (answer: T) => boolean,
  everyMs = 50,
): Promise<T> => {
  for (;;) {
    const answer = await ask();
    if (until(answer)) return answer;
    await pause(everyMs);
  }
};
