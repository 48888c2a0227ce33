import { continueAsNew, isCancellation } from '@temporalio/workflow';
import type { CanaryStep } from '../contracts/canary.ts';
import type { CanaryEnd, CanaryInput } from '../contracts/canary-messages.ts';
import { percent } from './canary/arms.ts';
import { Canary, ended, refusedEnd } from './canary/canary.ts';
import type { Turn } from './canary/observation.ts';
import type { Route } from './canary/route.ts';
import { stepName } from './canary/steps.ts';
import { canaryReads, canaryWrites } from './options.ts';

/** Gives a challenger traffic step by step and makes it champion, or puts traffic back and says why. */
export async function canaryPromotion(input: CanaryInput): Promise<CanaryEnd> {
  const canary = new Canary(input); // promote, retry, skip, pause, resume, abort, undo, kill are handled from here on
  const end = await canary.toItsEnd(() => process(canary, input));
  return end ?? continueAsNew<typeof canaryPromotion>({ ...input, memory: canary.memory() });
}

const process = async (canary: Canary, input: CanaryInput): Promise<Turn> => {
  const known = await beforehand(canary, input);
  if (known !== 'on') return known;

  if (!canary.recent) {
    for (const [nth, step] of input.plan.steps.entries()) {
      if (nth < canary.nth) continue;
      const taken = await canary.step(nth, step, () => take(canary, input, nth, step));
      if (taken !== 'on') return taken;
    }
    const enough = await canary.once(
      'enough',
      'whether there is enough to promote on',
      () => seenEnough(canary, input),
      () => 'nothing failed, and there was enough of it',
    );
    if (enough !== 'on') return enough;
  }

  const free = await canary.unpaused('the promotion');
  return free === 'on' ? promotion(canary) : free;
};

const beforehand = (canary: Canary, { trial, plan }: CanaryInput): Promise<Turn> => {
  const { service, champion, challenger } = trial;
  const most = plan.rollbackWindow + 1;
  return canary.once(
    'before',
    'what is known beforehand',
    async () => {
      const { no } = await canary.hooks('before', 'before');
      if (no !== null) return ended('rolled back', no);
      canary.know({ detectable: await orNull(() => canaryReads.detectable({ trial, plan })) });
      const past = plan.rollbackWindow > 0 ? await orNull(() => canaryReads.pastChampions({ service, most })) : null;
      const recent = past?.some(({ variant }) => variant === challenger && variant !== champion) ?? false;
      canary.know({ recent });
      return 'on';
    },
    () => (canary.recent ? `champion within the last ${plan.rollbackWindow} promotions: no steps` : 'done'),
  );
};

const take = (canary: Canary, { trial }: CanaryInput, nth: number, step: CanaryStep): Promise<Turn> => {
  const { observation } = canary;
  const name = stepName(nth);
  const skipped = () => canary.skipped(name);
  if ('weight' in step) return change(canary, nth, percent(step.weight), { weight: step.weight, mirror: 0 });
  if ('mirror' in step) return change(canary, nth, `${percent(step.mirror)} mirrored`, { mirror: step.mirror });
  if ('baseline' in step) return freshBaseline(canary, trial, nth);
  if ('pauseMs' in step) return observation.pass(canary.startedMs(name) + step.pauseMs, skipped, `${name}: pause`);
  if ('analysis' in step) return observation.analysed(step.analysis, skipped);
  const { challenger: variant, evidence } = trial;
  const question = { kind: 'approval', about: 'step', step: name, variant, evidence, until: null } as const;
  return observation
    .ask({ ...question, because: 'the plan asks for a person here' })
    .then((answer) => ('turn' in answer ? answer.turn : 'on'));
};

const change = async (
  { route }: Canary,
  nth: number,
  what: string,
  next: Parameters<Route['change']>[2],
): Promise<Turn> => {
  const name = stepName(nth);
  const answer = await route.change(name, what, next);
  if (answer.outcome === 'refused') return refusedEnd(`${name}: ${what}`, answer);
  return (await route.shows()) ? 'on' : ended('rolled back', `${name}: the router does not show ${what}`);
};

const freshBaseline = async (
  canary: Canary,
  { service, champion, cycle }: CanaryInput['trial'],
  nth: number,
): Promise<Turn> => {
  const { variant } = await canaryWrites.twinOf({ service, variant: champion, cycle });
  return change(canary, nth, `fresh baseline ${variant.slice(0, 12)}`, { twin: variant });
};

/** Nothing is promoted that was not looked at, nor on too little: a person may answer for it. */
const seenEnough = async ({ observation, route }: Canary, { plan }: CanaryInput): Promise<Turn> => {
  const background = await observation.backgroundPassed();
  if (background !== 'on') return background;
  for (;;) {
    const lacks = [...(await tooFew(route, plan)), ...(await unnoticed(route, plan))];
    if (lacks.length === 0) return 'on';
    const answer = await observation.hold('floor', lacks.join('; '));
    if ('turn' in answer) return answer.turn;
    if (answer.says === 'promote') return 'on';
  }
};

const tooFew = async (route: Route, { floor }: CanaryInput['plan']): Promise<readonly string[]> => {
  if (floor === 0) return [];
  const counted = await orNull(() => canaryReads.countCanary(route.window(new Date().toISOString())));
  if (counted && counted.requests >= floor) return [];
  const had = counted ? `${counted.requests} requests` : 'an unknown number of requests';
  return [`it has answered ${had}, and the plan asks for ${floor}`];
};

/** What may be worse without anybody having seen it, by as much as the plan says must be seen. */
const unnoticed = async (route: Route, { mustNotice }: CanaryInput['plan']): Promise<readonly string[]> => {
  if (!mustNotice) return [];
  const window = route.window(new Date().toISOString());
  const found = await orNull(() => canaryReads.doubtCanary({ ...window, mustNotice }));
  return found?.doubts ?? ['whether it is worse than may pass unseen cannot be read'];
};

const promotion = async (canary: Canary): Promise<Turn> => {
  const answer = await canary.route.promote();
  if (answer.outcome === 'refused') return refusedEnd('the promotion', answer);
  const why = canary.recent ? 'it was champion not long ago' : 'every step was taken, and nothing failed';
  return canary.settle(ended('promoted', why));
};

/** What cannot be read is not known; nothing waits for it. */
const orNull = async <T>(read: () => Promise<T>): Promise<T | null> => {
  try {
    return await read();
  } catch (error) {
    if (isCancellation(error)) throw error;
    return null;
  }
};
