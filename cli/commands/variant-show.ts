import { z } from 'zod';
import { command, OF_SERVICE, SERVICE, serviceName } from '../command.ts';
import type { Context } from '../context.ts';
import type { Reply } from '../output.ts';
import { bold, dim, type Line, relative } from '../text.ts';
import { rolesOf, stateOf, variantOf } from '../variants.ts';

export const variantShow = command({
  name: 'variant show',
  about: 'show what a variant is made of and how it read when it became champion',
  arguments: [['[variant]', 'digest or its first characters, `champion` or `gold` (champion)']],
  options: [OF_SERVICE],
  examples: ['pawl variant show champion', 'pawl variant show 4f2a91c0 --json'],
  input: z.object({ variant: z.string().default('champion'), service: serviceName }),
  run: async ({ variant, service: named }, context) => show(context, await context.service(named), variant),
});

export const goldShow = command({
  name: 'gold show',
  about: 'show the variant that serves whenever the service is killed',
  arguments: [SERVICE],
  examples: ['pawl gold show', 'pawl gold show docs --json'],
  input: z.object({ service: serviceName }),
  run: async ({ service: named }, context) => {
    const service = await context.service(named);
    if ((await stateOf(context.control, service)).gold !== null) return show(context, service, 'gold');
    return {
      data: null,
      lines: [`${service} has no gold variant, so it cannot be armed.`],
      next: [['Vouch for its champion', `pawl gold set --service ${service} --reason "…"`]],
    };
  },
});

const show = async (context: Context, service: string, said: string): Promise<Reply> => {
  const { control } = context;
  const state = await stateOf(control, service);
  const variant = await variantOf(control, state, said);
  const content = await context.artifacts.getJson(variant.artifact);
  const baseline = await control.baseline(service, variant.id);
  const readings = Object.entries(baseline?.readings ?? {});
  const lines: Line[] = [
    [bold(variant.id)],
    [dim('service   '), variant.service],
    [dim('role      '), rolesOf(state, variant.id)],
    [dim('origin    '), `${variant.origin}, ${relative(variant.createdAt, Date.now())}`],
    ...JSON.stringify(content, null, 2)
      .split('\n')
      .map((line, at) => [dim(at === 0 ? 'content   ' : '          '), line]),
    ...readings.map(([metric, reading]) => [
      dim(metric.padEnd(10)),
      reading ? `${reading.value.toPrecision(4)} (n ${reading.n})` : null,
    ]),
  ];
  return {
    data: { ...variant, role: rolesOf(state, variant.id), content, baseline },
    lines,
    next: [['All variants', `pawl variant ls ${service}`]],
  };
};
