import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { checkHome } from '../../check/check.ts';
import { SERVICE } from '../../drills/service-home.ts';
import { startLiveService } from '../support/live-service.ts';

test('a home that runs is checked again and again while cycles come and go, and nothing is ever found broken', async () => {
  const live = await startLiveService();
  onTestFinished(live.end);
  const seen = { checks: 0, running: 0, broken: [] as object[], served: 0 };
  const checkUntil = async (over: Promise<unknown>): Promise<void> => {
    let done = false;
    void over.finally(() => {
      done = true;
    });
    while (!done) {
      const { violations, running, served } = checkHome(live.home, { atRest: false });
      seen.checks++;
      seen.running += running.length;
      seen.served = Math.max(seen.served, served);
      seen.broken.push(...violations);
      await setImmediate();
    }
    await over;
  };
  const cycleToItsEnd = async () => live.endOf(await live.startCycle());

  await checkUntil(cycleToItsEnd());
  const order = { service: SERVICE, actor: { kind: 'drill', name: 'ada' }, reason: 'a trial' };
  await live.control.kill({ ...order, key: 'kill' });
  await live.control.arm({ ...order, key: 'arm' });
  await checkUntil(cycleToItsEnd());

  expect(seen.broken).toEqual([]);
  expect(seen.checks).toBeGreaterThan(10);
  expect(seen.running).toBeGreaterThan(0);
  expect(seen.served).toBeGreaterThan(0);
}, 180_000);
