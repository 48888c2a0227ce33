import { setTimeout as pause } from 'node:timers/promises';
import { request } from 'undici';
import type { UpFile } from '../up/up-file.ts';
import {
  type Act,
  APPROVER,
  type CycleStory,
  command,
  cycleByHand,
  evidenceOf,
  follow,
  hold,
  killAndLook,
  letThemAsk,
  scheduledCycle,
  trafficNow,
  wishesOf,
} from './chapters.ts';
import { buildStory, type Story } from './corpus.ts';
import { SERVICE } from './home.ts';
import type { Pawl } from './pawl-command.ts';
import type { Teller } from './tell.ts';
import { Visitors } from './visitors.ts';

interface Cast {
  readonly teller: Teller;
  readonly pawl: Pawl;
  readonly home: string;
}

/** The service as it is before the loop: its corpus, and the best settings that the search finds for it. */
export const prepare = async ({ teller, pawl, home }: Cast): Promise<Story> => {
  teller.chapter('A search service over the documentation of this machine');
  const story = await teller.working('reading the installed packages', async () => buildStory(home, 'before'));
  teller.say(
    `${story.documents.length} documents; ${story.queries.length} questions, each with the document it asks for`,
  );
  const init = ['init', '--tune', '--person', 'reader'];
  teller.command(pawl.typed(init));
  await teller.working('searching the best settings for it', () => pawl.run(init));
  teller.say('Nobody approves what they asked for, so there is a second person.');
  const add = ['people', 'add', APPROVER, '--role', 'approver', '--no-passphrase'];
  teller.command(pawl.typed(add));
  await pawl.run(add);
  return story;
};

export const play = async ({ teller, pawl, home, before, up }: Cast & { before: Story; up: UpFile }): Promise<void> => {
  const gateway = up.gateway ?? '';
  const { ui, namespace } = up.temporal;
  const link = (id: string) => `${ui}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}`;
  const visitors = new Visitors(gateway);
  const act: Act = { pawl, teller, visitors, gateway, link };
  teller.link('Temporal Web UI', `${ui}/namespaces/${namespace}/workflows`);
  teller.link('search', `${gateway}/v1/search?q=${encodeURIComponent('read a file')}`);
  teller.link('status and metrics', `${gateway}/status and ${gateway}/metrics`);

  teller.chapter('A person vouches for it: gold is set, the loop is armed');
  await command(act, ['gold', 'set', '--reason', 'the best that is known']);
  await command(act, ['rearm', SERVICE, '--reason', 'the story begins']);
  await command(act, ['schedule', 'apply']);
  const first = await trafficNow(act);
  hold(first.latch === 'armed' && first.gold === first.champion, 'an armed service with gold', first);

  visitors.ask(wishesOf(before));
  visitors.start();
  try {
    const calm = await letThemAsk(act, 'users ask');
    const look = await follow(act, await scheduledCycle(act));
    hold(look.end.outcome === 'kept', 'the first look to keep the champion', look.end);

    teller.chapter("The shift: Node's documentation joins the index, and most users ask in its words");
    const after = buildStory(home, 'after');
    await untilIndexed(act, after);
    visitors.ask(wishesOf(after));
    const lost = await letThemAsk(act, `users ask among ${after.documents.length} documents`);
    teller.say(`NDCG@10 fell from ${calm.ndcg.toFixed(3)} to ${lost.ndcg.toFixed(3)}`);

    teller.chapter('The first cycle: from the breach to a promotion');
    const repaired = await follow(act, await scheduledCycle(act));
    hold(repaired.end.outcome === 'promoted', 'a promotion', repaired.end);
    const better = await letThemAsk(act, 'users ask the new champion');
    hold(better.ndcg > lost.ndcg, 'users to see better answers than before the cycle', { lost, better });

    teller.chapter('The second cycle: nothing better is found, nothing is changed');
    const refused = await follow(act, await cycleByHand(act, 'can it be better still?'));
    hold(refused.end.outcome === 'rejected', 'a rejection', refused.end);
    hold((await trafficNow(act)).champion === repaired.end.challenger, 'the champion to stay', await trafficNow(act));

    teller.chapter('The third cycle: killed in the middle');
    const gold = first.gold ?? '';
    let kill = { ms: Number.NaN };
    const killed = await follow(act, await cycleByHand(act, 'one more'), {
      train: async () => {
        kill = await killAndLook(act, gold, wishesOf(after));
      },
    });
    const last = await trafficNow(act);
    hold(killed.end.outcome === 'killed', 'a killed cycle', killed.end);
    hold(
      last.latch === 'killed' && last.arms.length === 1 && last.arms[0]?.variant === gold,
      'gold alone to serve',
      last,
    );

    teller.chapter('What was measured');
    const all = visitors.since(0);
    hold(all.failed === 0, 'no question without an answer', all);
    teller.table([
      ['NDCG@10 before the shift', calm.ndcg.toFixed(3)],
      ['NDCG@10 after the shift', `${lost.ndcg.toFixed(3)} (${percent(lost.ndcg, calm.ndcg)})`],
      [
        'NDCG@10 after the promotion',
        `${better.ndcg.toFixed(3)} (${percent(better.ndcg, lost.ndcg)} against the shift)`,
      ],
      ['offline verdict, held-out questions', repaired.end.because],
      ['from the breach to the promotion', `${repaired.seconds.toFixed(0)} s (${times(repaired)})`],
      ['the rejection', `${refused.seconds.toFixed(0)} s: ${refused.end.because}`],
      ['from the kill to the first answer from gold', `${kill.ms} ms`],
      ['questions asked, and left unanswered', `${all.requests}, ${all.failed}`],
      ['95th percentile of an answer, over HTTP', `${all.p95} ms`],
    ]);
    teller.line('');
    const kept = await evidenceOf(act, repaired.cycle);
    hold(kept.good, 'the evidence of the promotion to be whole', kept);
    teller.say(`${kept.files.length} files of evidence, sealed: ${kept.folder}`);

    teller.line('');
    teller.say('The service stays killed, and serves gold, until you rearm it:');
    teller.command(pawl.typed(['rearm', SERVICE, '--reason', '…']));
    teller.link('its guardian', link(`pawl:${SERVICE}`));
  } finally {
    await visitors.stop();
  }
};

/** The gateway takes the new documents into its index beside the old one, and swaps. */
const untilIndexed = ({ teller, gateway }: Act, { documents }: Story) =>
  teller.working(`the gateway indexes ${documents.length} documents`, async () => {
    for (;;) {
      const answer = await request(`${gateway}/status`);
      if (JSON.stringify(await answer.body.json()).includes(`"documents":${documents.length}`)) return;
      await pause(200);
    }
  });

const percent = (now: number, then: number): string =>
  `${now < then ? '−' : '+'}${Math.abs((now / then - 1) * 100).toFixed(1)} %`;

const times = ({ stages }: CycleStory): string =>
  stages
    .map(({ stage, startedAt, endedAt }) => [stage, Date.parse(endedAt ?? startedAt) - Date.parse(startedAt)] as const)
    .filter(([, ms]) => ms >= 1_000)
    .map(([stage, ms]) => `${stage} ${(ms / 1_000).toFixed(0)} s`)
    .join(', ');
