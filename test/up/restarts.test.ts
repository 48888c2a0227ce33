import { expect, test } from 'vitest';
import { pauseBeforeNext } from '../../infra/up/restarts.ts';

const rule = { firstMs: 100, mostMs: 1_000, steadyMs: 10_000, quickDeaths: 6 };
const quick = 5;
const long = 20_000;

test.each([
  ['the first death', [quick], 100],
  ['each further quick one doubles the pause', [quick, quick, quick], 400],
  ['the pause has a limit', [quick, quick, quick, quick, quick], 1_000],
  ['after so many it is given up', [quick, quick, quick, quick, quick, quick], null],
  ['a long life starts the count anew', [quick, quick, quick, quick, quick, long, quick], 100],
  ['who lived long comes back at once', [quick, quick, long], 100],
])('%s', (_, lives, pause) => {
  expect(pauseBeforeNext(lives, rule)).toBe(pause);
});
