/**
 * 1. Repeating it changes nothing: what is there is kept, what is missing is made.
 * 2. It asks for the passphrase of the new key and for nothing else, and arms nothing: gold and the latch wait for a
 *    person's signature.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative as pathFrom, resolve } from 'node:path';
import { z } from 'zod';
import { createOperatorKey } from '../../adapters/keys/operator-key.ts';
import { pinLedgerKey } from '../../adapters/ledger/pinned-key.ts';
import { DEFAULT_SETTINGS, saveVariant } from '../../adapters/lexical/variant.ts';
import { findServices } from '../../adapters/service/config.ts';
import type { ServiceConfig } from '../../contracts/config.ts';
import { SERVICE_NAME } from '../../contracts/ids.ts';
import type { ServiceState } from '../../contracts/traffic.ts';
import { command, flag, serviceName } from '../command.ts';
import { type Context, pick } from '../context.ts';
import { newHome } from '../home.ts';
import { describeFit, HYBRID_OPTIONS, hybridInput, makeHybrid } from '../hybrid.ts';
import { nameOfUser } from '../operator.ts';
import type { Reply } from '../output.ts';
import { givenPassphrase, newPassphrase } from '../passphrase.ts';
import { starterYaml } from '../starter.ts';
import { bold, dim, good, type Line, short, warn } from '../text.ts';
import { tune } from '../tune.ts';

const input = z.object({
  service: serviceName,
  corpus: z.string().default('data/corpus.jsonl'),
  queries: z.string().default('data/queries.jsonl'),
  train: z.string().default('data/train.tsv'),
  test: z.string().default('data/test.tsv'),
  person: z.string().trim().min(1).max(100).optional(),
  passphraseFile: z.string().optional(),
  passphrase: z.boolean().default(true),
  tune: flag,
  search: z.enum(['full-text', 'hybrid']).default('full-text'),
  ...hybridInput,
});
type Input = z.infer<typeof input>;

interface Step {
  readonly what: string;
  readonly made: boolean;
  readonly detail: string;
}

export const init = command({
  name: 'init',
  about: 'make a service: pawl.yaml, operator key, first champion',
  details: 'Safe to repeat: what is there is kept. Nothing is armed until a person has vouched for gold.',
  options: [
    ['--service <name>', 'name of the service (the name of the folder)'],
    ['--corpus <file>', 'JSON lines: _id, title, text (data/corpus.jsonl)'],
    ['--queries <file>', 'JSON lines: _id, text (data/queries.jsonl)'],
    ['--train <file>', 'judgements to learn from: query-id, corpus-id, score (data/train.tsv)'],
    ['--test <file>', 'judgements that only evaluation sees (data/test.tsv)'],
    ['--person <name>', 'whose key it is (the user who is logged in)'],
    ['--passphrase-file <file>', 'holds the passphrase of the new key (PAWL_PASSPHRASE, else it is asked)'],
    ['--no-passphrase', 'leave the new key unprotected; off a terminal that is so without being said'],
    ['--tune', 'search settings on the training queries first'],
    ['--search <kind>', 'full-text over whole documents, or hybrid: words and meaning over their parts (full-text)'],
    ...HYBRID_OPTIONS,
  ],
  examples: [
    'pawl init --service docs --corpus corpus.jsonl --queries queries.jsonl --train train.tsv --test test.tsv --tune',
  ],
  input,
  run: async (given, context) => {
    context.useHome(newHome(context.homeSources));
    const { service, yaml } = await writeConfig(context, given);
    const config = await context.config(service);
    const key = await ensureKey(context, given);
    const champion = await ensureChampion(context, config, given);
    const ledger = await ensureLedgerKey(context);
    return replyOf(context, config, [yaml, key, ledger, champion.step], champion.state);
  },
});

const writeConfig = async (context: Context, given: Input): Promise<{ service: string; yaml: Step }> => {
  const { home, paths } = context;
  const present = await findServices(home);
  if (present.length > 0 && (given.service === undefined || present.some(({ service }) => service === given.service))) {
    const service = pick(
      present.map((one) => one.service),
      given.service,
      home,
    );
    const file = present.find((one) => one.service === service)?.file ?? paths.config;
    return { service, yaml: { what: 'pawl.yaml', made: false, detail: file } };
  }
  const service = given.service ?? nameFor(home);
  const file = present.length === 0 ? paths.config : join(paths.services, service, 'pawl.yaml');
  const fromFile = (path: string): string =>
    pathFrom(dirname(file), resolve(context.homeSources.folder, path)).replaceAll('\\', '/');
  await mkdir(dirname(file), { recursive: true });
  const starter = {
    service,
    corpus: fromFile(given.corpus),
    queries: fromFile(given.queries),
    train: fromFile(given.train),
    test: fromFile(given.test),
  };
  await writeFile(file, starterYaml(starter), { flag: 'wx' });
  return { service, yaml: { what: 'pawl.yaml', made: true, detail: file } };
};

const nameFor = (home: string): string => {
  const name = basename(resolve(home))
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '');
  return SERVICE_NAME.test(name) ? name : 'search';
};

/** State is never committed, whatever the home's own .gitignore says. */
const ensureKey = async (context: Context, given: Input): Promise<Step> => {
  const { home, paths } = context;
  await mkdir(paths.state, { recursive: true });
  await writeFile(join(paths.state, '.gitignore'), '*\n');
  if (existsSync(paths.operatorKey)) return { what: 'operator key', made: false, detail: paths.operatorKey };
  const passphrase = await passphraseOf(context, given);
  const { name, roles, kid } = await createOperatorKey(home, { name: given.person ?? nameOfUser(), passphrase });
  const how =
    passphrase === null ? 'NOT protected: whoever reads the file can sign as you' : 'protected by your passphrase';
  const detail = `${name} (${roles.join(', ')}; ${kid}), ${how}; its public half is in people.json`;
  return { what: 'operator key', made: true, detail };
};

const passphraseOf = async (context: Context, { passphraseFile, passphrase }: Input): Promise<string | null> => {
  if (!passphrase) return null;
  return context.out.interactive ? newPassphrase(context, passphraseFile) : givenPassphrase(context, passphraseFile);
};

/** The public half of the key that signs the ledger's heads, where Git keeps it. */
const ensureLedgerKey = async (context: Context): Promise<Step> => {
  const vkey = await context.openControl().ledgerKey();
  if (vkey === null) return { what: 'ledger key', made: false, detail: 'none: the store could not make one' };
  const pinned = await pinLedgerKey(context.home, vkey);
  return { what: 'ledger key', made: pinned === 'made', detail: `${context.paths.ledgerKey}; keep it in Git` };
};

const ensureChampion = async (
  context: Context,
  config: ServiceConfig,
  given: Input,
): Promise<{ step: Step; state: ServiceState }> => {
  const { service } = config;
  const control = context.openControl();
  const present = await control.state(service);
  if (present) {
    const kept = { what: 'champion', made: false, detail: `${short(present.champion)}; a cycle replaces it, not init` };
    return { step: kept, state: present };
  }
  const tuned = given.tune
    ? await context.out.progress('Searching settings', (tell) => tune(config, context.paths.indexes, tell))
    : null;
  const lexical = tuned?.settings ?? DEFAULT_SETTINGS;
  const hybrid =
    given.search === 'hybrid'
      ? await context.out.progress('Making a hybrid search', (tell) =>
          makeHybrid(context, config, { ...given, lexical }, tell),
        )
      : null;
  const { id, artifact } = hybrid ?? (await saveVariant(context.artifacts, service, lexical));
  const variant = { id, artifact };
  await control.addVariant({ ...variant, service, origin: 'init', createdAt: new Date().toISOString() });
  const state = await control.register({
    key: `init/${service}`,
    service,
    champion: variant.id,
    actor: { kind: 'person', name: nameOfUser() },
    reason: tuned ? `the best of ${tuned.trials} settings` : 'the default settings',
  });
  const detail = tuned
    ? `${short(variant.id)}, the best of ${tuned.trials} settings: NDCG@10 ${tuned.before.toFixed(3)} → ${tuned.after.toFixed(3)} on the training queries`
    : `${short(variant.id)}, the default settings`;
  const searched = hybrid ? `${detail}; ${describeFit(hybrid)}` : detail;
  return { step: { what: 'champion', made: true, detail: searched }, state };
};

const replyOf = (context: Context, config: ServiceConfig, steps: readonly Step[], state: ServiceState): Reply => {
  const { service, folder, data } = config;
  const files = [data.corpus, data.queries, data.judgements.train, data.judgements.test];
  const missing = files.map((file) => resolve(folder, file)).filter((file) => !existsSync(file));
  const todo = [
    ...(state.gold === null
      ? [['Vouch for the champion', `pawl gold set --service ${service} --reason "…"`] as const]
      : []),
    ...(state.latch === 'armed' ? [] : [['Then arm it', `pawl rearm ${service} --reason "…"`] as const]),
  ];
  const lines: Line[] = [
    [bold(service), dim(` in ${context.home}`)],
    ...steps.map(({ what, made, detail }) => [made ? good('✓ ') : dim('= '), what.padEnd(13), detail]),
    ...missing.map((file) => [warn('! '), 'missing'.padEnd(13), file]),
  ];
  return {
    data: {
      service,
      home: context.home,
      steps,
      missingFiles: missing,
      state,
      missingUntilArmed: todo.map(([, run]) => run),
    },
    lines,
    next: [['Start everything', 'pawl up'], ...todo],
  };
};
