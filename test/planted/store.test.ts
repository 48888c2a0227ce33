/** Bugs in what the store promises: fences, the kill, one transaction, one effect for one key. */
import { describePlants, type Plant } from './plant.ts';
import { CYCLE, checked, StoreScene } from './store-scene.ts';

const TRAFFIC = 'domain/traffic.ts';
const STORE = 'adapters/control/sqlite.ts';
const TABLES = 'adapters/control/sqlite-tables.ts';
const LATER = 'si_2026_11_21_002';

const killedWhileOnTrial = checked(async (scene) => {
  await scene.shift('deploy', await scene.grant());
  await scene.control.kill(scene.order());
  await scene.ended('killed');
});

const plants: readonly Plant[] = [
  {
    bug: 'a fence without the epoch',
    edits: [{ file: TRAFFIC, from: "['stale epoch', (state, { token }) => token.epoch !== state.epoch],", to: '' }],
    run: checked(async (scene) => {
      const token = await scene.grant();
      await scene.shift('deploy', token);
      await scene.control.kill(scene.order());
      await scene.control.arm(scene.order());
      await scene.shift('restore', token);
      await scene.ended('killed');
    }),
    foundBy: 'traffic moves only by the grant given last',
  },
  {
    bug: 'a fence without the promotion number',
    edits: [
      {
        file: TRAFFIC,
        from: "['stale promotion', (state, { token }) => token.promotion !== state.promotion],",
        to: '',
      },
    ],
    run: checked(async (scene) => {
      const token = await scene.grant();
      await scene.admitted(LATER);
      await scene.grant(LATER);
      await scene.shift('deploy', token);
      await scene.shift('restore', token);
      await scene.ended('failed');
      await scene.ended('kept', LATER);
    }),
    foundBy: 'traffic moves only by the grant given last',
  },
  {
    bug: 'a fence without the latch',
    edits: [{ file: TRAFFIC, from: "['killed', (state) => state.latch === 'killed'],", to: '' }],
    run: checked(async (scene) => {
      const token = await scene.grant();
      await scene.control.kill(scene.order());
      await scene.shift('deploy', { ...token, epoch: token.epoch + 1 });
      await scene.ended('killed');
    }),
    foundBy: 'after a kill nothing moves until it is armed',
  },
  {
    bug: 'a kill that leaves traffic where it is',
    edits: [
      {
        file: TRAFFIC,
        from: "  ...onGold(state, state.gold),\n  latch: 'killed',",
        to: "  ...state,\n  latch: 'killed',",
      },
    ],
    run: killedWhileOnTrial,
    foundBy: 'a killed service serves gold',
  },
  {
    bug: 'a kill that does not raise the epoch',
    edits: [{ file: TRAFFIC, from: 'epoch: state.epoch + 1', to: 'epoch: state.epoch' }],
    run: killedWhileOnTrial,
    foundBy: 'epoch and promotion number count kills and grants',
  },
  {
    bug: 'a grant that does not raise the promotion number',
    edits: [{ file: TRAFFIC, from: 'promotion: state.promotion + 1', to: 'promotion: state.promotion' }],
    run: checked((scene) => scene.promoted()),
    foundBy: 'epoch and promotion number count kills and grants',
  },
  {
    bug: 'shares that nobody adds up',
    edits: [{ file: TRAFFIC, from: 'if (!(Math.abs(sum - 1) <= 1e-9))', to: 'if (sum < 0)' }],
    run: checked(async (scene) => {
      const token = await scene.grant();
      const arms = [{ variant: scene.challenger, share: 0.4 }];
      await scene.shift('deploy', token, arms).catch(() => undefined);
      await scene.shift('restore', token);
      await scene.ended('rolled back');
    }),
    foundBy: 'the shares of a service add up to 1',
  },
  {
    bug: 'a row of the ledger outside the transaction of its change',
    edits: [
      {
        file: STORE,
        from: 'if (effects.rows.length > 0) tell(effects.rows, at);',
        to: 'if (effects.rows.length > 0) queueMicrotask(() => transaction(() => tell(effects.rows, at)));',
      },
    ],
    // What a process that dies at the moment of its success leaves behind: nothing else has run here until then.
    run: async (code) => {
      const scene = await StoreScene.open(code);
      const killed = scene.control.kill(scene.order());
      const found = scene.broken().filter((rule) => rule !== 'every admitted cycle ends exactly once');
      await killed;
      scene.end();
      return found;
    },
    foundBy: 'what serves is what the ledger says',
  },
  {
    bug: 'an effect that is done again when its activity is repeated',
    edits: [
      {
        file: 'adapters/control/draft.ts',
        from: '?? read(this.#facts.answers, key);',
        to: '?? null;',
      },
      { file: TABLES, from: 'INSERT INTO answers', to: 'INSERT OR REPLACE INTO answers' },
    ],
    run: checked(async (scene) => {
      const grant = { ...scene.order(), cycle: CYCLE };
      await scene.control.grant(grant);
      await scene.control.grant(grant);
      await scene.ended('kept');
    }),
    foundBy: 'no key is done twice',
  },
  {
    bug: 'an end that is written again when its activity is repeated',
    edits: [
      {
        file: 'adapters/control/orders.ts',
        from: `      draft.once('note', entry, nothing, () => {
        draft.append(noteRow(entry));
        return null;
      });`,
        to: '      draft.append(noteRow(entry));',
      },
    ],
    run: checked(async (scene) => {
      const end = { ...scene.order(), kind: 'cycle ended', cycle: CYCLE, body: { outcome: 'kept', challenger: null } };
      await scene.control.noteAll([end]);
      await scene.control.noteAll([end]);
    }),
    foundBy: 'every admitted cycle ends exactly once',
  },
  {
    bug: 'a registry that takes other content under an id that it knows',
    edits: [
      {
        file: 'adapters/control/registry.ts',
        from: 'if (present?.service === service && present.artifact.sha256 === artifact.sha256) return;',
        to: 'if (present?.service === service) return;',
      },
    ],
    run: async (code) => {
      const scene = await StoreScene.open(code);
      const artifact = await scene.artifacts.put('something else');
      const known = await scene.control.variant(scene.gold);
      const taken = known && scene.control.addVariant({ ...known, artifact }).then(() => true);
      const found = await taken?.catch(() => false);
      scene.end();
      return found ? ['seen: two contents of one id'] : [];
    },
    foundBy: 'seen: two contents of one id',
  },
];

describePlants('in the store,', plants);
