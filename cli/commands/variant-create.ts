import { z } from 'zod';
import { command, SERVICE, serviceName } from '../command.ts';
import { describeFit, describeOrder, describeThreshold, HYBRID_OPTIONS, hybridInput, makeHybrid } from '../hybrid.ts';
import { bold, dim, short } from '../text.ts';

export const variantCreate = command({
  name: 'variant create',
  about: 'make a variant of hybrid search, by words and by meaning, over parts of documents',
  details:
    'Documents are cut and embedded into an index that a gateway then finds ready, and the judged training queries choose how the two searches are put together. Nobody is served by it yet.',
  arguments: [SERVICE],
  options: HYBRID_OPTIONS,
  examples: ['pawl variant create', 'pawl variant create docs --chunking structure:800'],
  input: z.object({ service: serviceName, ...hybridInput }),
  run: async ({ service: named, ...wish }, context) => {
    const service = await context.service(named);
    const config = await context.config(service);
    const made = await context.out.progress('Making a variant', (tell) => makeHybrid(context, config, wish, tell));
    const { id, artifact, settings, choice } = made;
    await context.control.addVariant({ id, service, artifact, origin: 'hand', createdAt: new Date().toISOString() });
    return {
      data: {
        id,
        service,
        settings,
        compared: choice?.compared ?? null,
        calibrated: made.calibrated,
        gain: made.learned?.gain ?? null,
      },
      lines: [
        [bold(id)],
        [dim('fusion    '), describeFit(made)],
        [dim('order     '), describeOrder(made)],
        [dim('threshold '), describeThreshold(made)],
        ...(choice?.compared ?? []).map(({ kind, ndcg, gain }) => [
          dim('tried     '),
          `${kind.padEnd(13)} ${ndcg.toFixed(3)}`,
          gain ? dim(`  [${gain.low.toFixed(3)}, ${gain.high.toFixed(3)}] over ${gain.over}`) : null,
        ]),
      ],
      next: [['Look at it', `pawl variant show ${short(id)}`]],
    };
  },
});
