/**
 * A look at the arms of an experiment.
 *
 * 1. It adds the subjects whose window has ended since the last look, each once, and nothing else: what it remembers are sums.
 * 2. It looks no further than SETTLED_MS ago: the gateway writes what it served a moment later, and what comes late must not
 *    make a repeated look find more.
 * 3. Whoever was enrolled counts for the arm that enrolled them, whatever they were answered by afterwards.
 */
import { setImmediate } from 'node:timers/promises';
import type { Exposure, QueryLog } from '../adapters/query-log/port.ts';
import type { AbLook, AbSums } from '../contracts/ab.ts';
import { fresh, type Looked, withEnrolled, withLooked } from '../domain/ab/arm-sums.ts';
import { type Known, MOST_ANSWERS, subjectSums } from '../domain/ab/subject-values.ts';

export const SETTLED_MS = 5_000;
const PAGE = 200;

export type ExperimentLog = Pick<QueryLog, 'exposures' | 'ofSubject' | 'answeredBy' | 'unnamed'>;

export const lookAt = async (
  log: ExperimentLog,
  look: AbLook,
  known: Known,
  onPage: () => void = () => undefined,
): Promise<AbSums> => {
  const { service, experiment, since, windowMs } = look;
  const before = look.sums ?? fresh(since);
  const until = look.now - SETTLED_MS;
  if (until <= before.until) return before;
  let { phases, crossed } = before;
  for await (const page of pagesOf(log, look, before.until, until)) {
    for (const { phase, variant } of page) phases = withEnrolled(phases, { phase, arm: armOf(look, variant) }, 1);
    onPage();
  }
  for await (const page of pagesOf(log, look, Math.max(since, before.until - windowMs), until - windowMs)) {
    const seen = await Promise.all(page.map((exposure) => seenOf(log, look, exposure, known)));
    crossed += seen.filter((one) => one.crossed).length;
    phases = withLooked(phases, seen);
    onPage();
    await setImmediate();
  }
  const unnamed = await log.unnamed({ service, experiment, from: before.until, to: until });
  return { phases, crossed, unnamed: before.unnamed + unnamed, until };
};

async function* pagesOf(
  log: ExperimentLog,
  look: AbLook,
  from: number,
  to: number,
): AsyncIterable<readonly Exposure[]> {
  const { service, experiment, champion, challenger } = look;
  let after: Pick<Exposure, 'at' | 'subject'> = { at: from, subject: '' };
  for (;;) {
    const variants = [champion, challenger] as const;
    const page = await log.exposures({ service, experiment, variants, after, to, limit: PAGE });
    yield page;
    const last = page.at(-1);
    if (page.length < PAGE || !last) return;
    after = last;
  }
}

const armOf = ({ champion }: AbLook, variant: string) => (variant === champion ? 'champion' : 'challenger');

const seenOf = async (
  log: ExperimentLog,
  look: AbLook,
  { subject, variant, at, phase }: Exposure,
  known: Known,
): Promise<Looked & { readonly crossed: boolean }> => {
  const { service, experiment, windowMs, beforeMs } = look;
  const arm = armOf(look, variant);
  const window = { service, subject, from: at, to: at + windowMs };
  const limit = MOST_ANSWERS;
  const answers = await log.ofSubject({ ...window, limit });
  const earlier = beforeMs > 0 ? await log.ofSubject({ ...window, from: at - beforeMs, to: at, limit }) : [];
  const other = arm === 'champion' ? look.challenger : look.champion;
  const crossed = await log.answeredBy({ ...window, experiment, variant: other });
  const metrics = look.metrics.flatMap((metric): Looked['metrics'][number][] => {
    const [{ sum: y, count: m }, { sum: x, count: w }] = [
      subjectSums(metric, answers, known),
      subjectSums(metric, earlier, known),
    ];
    return m > 0 ? [[metric, { y, m, x, w }]] : [];
  });
  return { phase, arm, crossed, metrics };
};
