import { isCancellation, sleep } from '@temporalio/workflow';
import type { FixCourse, FixEnd, FixInput, FixStep } from '../contracts/remediation.ts';
import type { GateFinding } from '../contracts/vitals.ts';
import { breachesOf, breachOver, courseOf, HELPED, HELPED_NOT, symptomsOf } from '../domain/remediation.ts';
import { experience, fastLook } from './options.ts';
import { Fix } from './remediation/fix.ts';
import { applied, nameOf } from './remediation/remedies.ts';

/** So many times the settling time is waited for where there is nothing to see yet. */
const PATIENCE = 3;
const MOST_LOOKS = 100;
/** A first look that takes longer than this is not waited for: whoever asked has looked. */
const FIRST_LOOK_MS = 5_000;
const UNSEEN = 'nothing was seen of it';

/** Takes one remedy after the other until the breach is over: the fast answer when what serves breaks. */
export async function remediation(input: FixInput): Promise<FixEnd> {
  const fix = new Fix(input); // abort and kill are handled from here on
  return fix.run(() => pass(fix, input));
}

const pass = async (fix: Fix, input: FixInput): Promise<FixEnd> => {
  const { service, request, plan, champion } = input;
  const [facts, seen] = await fix.step('look', () =>
    Promise.all([experience.readFixFacts({ service }), firstLook(input)]),
  );
  if (facts.champion?.variant !== champion) return fix.ended('not needed', 'the champion has changed since');
  const breaches = wrongNow(input, seen);
  if (breaches.length === 0 && !request.only) return fix.ended('not needed', overBy(seen ?? []));

  const course = courseOf(request, symptomsOf(breaches), plan, facts);
  fix.about(breaches, course);
  for (const step of course.steps) {
    const { result, end } = await fix.trying(step, () => tried(fix, input, step, breaches));
    if (end) return end;
    if (result === HELPED) return fix.ended('remedied', nameOf(step), step.remedy);
    if (result === UNSEEN) return fix.ended('asked', `${nameOf(step)}, and ${UNSEEN} in the vitals`);
  }
  return unmended(fix, course);
};

/** A way back that is all that was asked for is not held up by a look. */
const firstLook = async ({ service, request, champion, gates }: FixInput): Promise<readonly GateFinding[] | null> => {
  if (request.only || gates.length === 0) return null;
  try {
    const soon = { startToCloseTimeout: FIRST_LOOK_MS, scheduleToCloseTimeout: FIRST_LOOK_MS };
    return (await fastLook.lookForBreach.executeWithOptions(soon, [{ service, champion, gates }])).findings;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
};

/** What was found before the start counts for as long as nothing newer is known. */
const wrongNow = ({ request }: FixInput, seen: readonly GateFinding[] | null): readonly GateFinding[] => {
  const asked = breachesOf(request.findings);
  if (seen === null) return asked;
  const now = breachOver(asked, seen);
  if (now === 'over') return [];
  return now === 'breach' ? breachesOf(seen) : asked;
};

const overBy = (seen: readonly GateFinding[]): string =>
  seen.length === 0 ? 'no fast gate is breached' : `no fast gate is breached: ${reasonsOf(seen)}`;
const reasonsOf = (findings: readonly GateFinding[]): string => findings.map(({ because }) => because).join('; ');

interface Tried {
  readonly result: string;
  /** Set where nothing can be tried any more. */
  readonly end?: FixEnd;
}

const tried = async (fix: Fix, input: FixInput, step: FixStep, breaches: readonly GateFinding[]): Promise<Tried> => {
  const { done, because, refusal } = await applied(fix, input, step, breaches);
  if (refusal) return { result: because, end: fix.refused(nameOf(step), refusal, because) };
  if (!done) return { result: because };
  // Nothing was breached: what was asked for is the way back itself, and it has taken effect.
  return { result: breaches.length === 0 ? HELPED : await settled(input, step, breaches) };
};

/** Looks until the breach is over, or the remedy has had its time. What shows no data gets more of it, and never helps. */
const settled = async (input: FixInput, step: FixStep, breaches: readonly GateFinding[]): Promise<string> => {
  const { service, gates, plan } = input;
  const doneMs = Date.now();
  const since = new Date(doneMs).toISOString();
  const champion = step.variant ?? input.champion;
  const lookMs = Math.max(plan.lookMs, plan.settleMs / MOST_LOOKS);
  for (;;) {
    await sleep(lookMs, { summary: `${step.remedy}: until the next look` });
    const seen = await lookAgain({ service, champion, since, gates });
    const now = breachOver(breaches, seen);
    const passedMs = Date.now() - doneMs;
    if (now === 'over') return HELPED;
    if (now === 'breach' && passedMs >= plan.settleMs) return HELPED_NOT;
    if (passedMs >= PATIENCE * plan.settleMs) return UNSEEN;
  }
};

const lookAgain = async (order: Parameters<typeof fastLook.lookForBreach>[0]): Promise<readonly GateFinding[]> => {
  try {
    return (await fastLook.lookForBreach(order)).findings;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return [];
  }
};

const unmended = (fix: Fix, { steps, passedOver, ask }: FixCourse): FixEnd => {
  const over = passedOver.map(({ remedy, because }) => `${remedy}: ${because}`).join('; ');
  if (ask !== null) return fix.ended('asked', `${ask}, and what is left would go back past it`);
  if (steps.length === 0) return fix.ended('asked', `there is no remedy to try (${over})`);
  return fix.ended('failed', `${steps.map(nameOf).join(', ')}: nothing has helped${over && ` (${over})`}`);
};
