import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { guardianStart, killSwitchStart } from '../../adapters/temporal/guardian.ts';
import { PawlError } from '../../contracts/failures.ts';
import { type Answer, killUpdate } from '../../contracts/messages.ts';
import { command, flag, REASON, reason, SERVICE, serviceName } from '../command.ts';
import { type Context, pick } from '../context.ts';
import { asPawlError } from '../failure.ts';
import { nameOfUser } from '../operator.ts';
import type { Reply } from '../output.ts';
import { tell } from '../send.ts';
import { bad, bold, good, warn } from '../text.ts';
import { tellRouter } from '../told-router.ts';

/** Whoever kills must not wait longer than this for Temporal. */
const PATIENCE_MS = 5_000;

interface Killed {
  readonly subject: string;
  readonly way: 'guardian' | 'kill switch' | 'break-glass';
  readonly what: string;
}

export const kill = command({
  name: 'kill',
  about: 'stop the loop now: cycles end, gold serves, nothing moves until a person rearms',
  details:
    'Asks the guardian (with --all the kill switch). Without an answer in 5 s it goes past Temporal and kills in the store itself, as --break-glass does at once; the guardian learns of it when it is back.',
  arguments: [SERVICE],
  options: [
    ['--all', 'every service of the fleet'],
    ['--break-glass', 'kill in the store, past Temporal and the workers'],
    REASON,
  ],
  examples: [
    'pawl kill --reason "wrong answers in production"',
    'pawl kill --all --break-glass --reason "incident 42"',
  ],
  input: z
    .object({ service: serviceName, all: flag, breakGlass: flag, reason })
    .refine(({ service, all }) => !(all && service), { path: ['all'], message: 'name a service or --all, not both' }),
  run: async ({ service: named, all, breakGlass, reason }, context) => {
    const service = all ? null : await serviceToKill(context, named);
    if (breakGlass) return replyOf(await breakTheGlass(context, service, reason), service);
    try {
      return replyOf(await askToKill(context, service, reason), service);
    } catch (error) {
      if (error instanceof PawlError && error.type === 'Refused') throw error;
      context.out.note([
        warn('Temporal did not kill it'),
        ` (${asPawlError(error).message}); killing in the store itself.`,
      ]);
      return replyOf(await breakTheGlass(context, service, reason), service);
    }
  },
});

/** Neither a configuration nor a store that cannot be read may stand in the way of a kill by name. */
const serviceToKill = async (context: Context, named: string | undefined): Promise<string> => {
  const stored = await storedServices(context);
  if (stored.length > 0) return pick(stored, named, context.home);
  return named ?? context.service(undefined);
};

const storedServices = async (context: Context): Promise<readonly string[]> => {
  try {
    return await context.control.services();
  } catch (error) {
    context.out.note([warn('The store does not answer'), ` (${asPawlError(error).message}).`]);
    return [];
  }
};

const askToKill = async (context: Context, service: string | null, reason: string): Promise<Killed> => {
  const message = { by: nameOfUser(), reason };
  const until = Date.now() + PATIENCE_MS;
  await context.temporal(0);
  const answer: Answer = await (service === null
    ? tell(context, 'waiting for the kill switch', killUpdate, message, killSwitchStart(), until - Date.now())
    : tell(context, 'waiting for the guardian', killUpdate, message, guardianStart(service), until - Date.now()));
  const subject = service ?? 'the fleet';
  if (!answer.accepted) throw new PawlError('Refused', `${subject}: ${answer.because}`);
  return { subject, way: service === null ? 'kill switch' : 'guardian', what: answer.what };
};

const breakTheGlass = async (context: Context, service: string | null, reason: string): Promise<Killed> => {
  const order = { key: randomUUID(), actor: { kind: 'person', name: nameOfUser() }, reason };
  if (service === null) {
    const { services } = await context.control.killAll(order);
    await Promise.all(services.map((one) => tellRouter(context, one, `${order.key}/${one}`)));
    return {
      subject: 'the fleet',
      way: 'break-glass',
      what: `killed: ${services.join(', ') || 'no services are known'}`,
    };
  }
  const answer = await context.control.kill({ ...order, service });
  if (answer.outcome === 'refused') {
    throw new PawlError('NotFound', `${service} was not killed: ${answer.because}.`, {
      hint: `${context.storePlace} knows: ${(await context.control.services()).join(', ') || 'no service'}.`,
    });
  }
  await tellRouter(context, service, order.key);
  const { epoch, gold } = answer.state;
  const serving = gold ? 'gold serves' : 'no gold is set, so the champion still serves';
  return { subject: service, way: 'break-glass', what: `killed: epoch ${epoch}, ${serving}` };
};

const replyOf = (killed: Killed, service: string | null): Reply => ({
  data: { service, ...killed },
  lines: [
    [good('✓ '), bold(killed.subject), ': ', killed.what],
    ...(killed.way === 'break-glass'
      ? [[bad('break-glass: '), 'the store refuses every change from now on; cycles end when Temporal is back']]
      : []),
  ],
  next: [
    ['See it', service === null ? 'pawl status' : `pawl status ${service}`],
    ['When it is mended', service === null ? 'pawl rearm --all --reason "…"' : `pawl rearm ${service} --reason "…"`],
  ],
});
