/**
 * 1. The same order gives the same bytes, so an attempt that is repeated finds what the one before it left.
 * 2. Every file is an artifact first; the folder holds copies. Its statement is written with it, and never without.
 * 3. A folder that says something else than this order is an error: evidence is not written twice.
 */

import { type Signer, signedEnvelope } from '../adapters/evidence/dsse.ts';
import { FILES_OF, type Predicate, runFolder, STATEMENT } from '../adapters/evidence/files.ts';
import { evidenceFolder, type Files, readFolder, sha256, writeFolder } from '../adapters/evidence/folder.ts';
import { isOwn, isPluggable } from '../adapters/evidence/stage-evidence.ts';
import { openStatement, PAYLOAD_TYPE, statementBytes } from '../adapters/evidence/statement.ts';
import type { EvidenceActivities, Sealed, SealOrder } from '../contracts/evidence.ts';
import { PawlError } from '../contracts/failures.ts';
import { STAGES, type Stage } from '../contracts/plan.ts';
import { canonicalJson } from '../domain/canonical-json.ts';
import { configurationFile, type EvidenceSources, filesOf, type NamedFiles } from './evidence-files.ts';
import { failing } from './failure.ts';

export interface EvidenceDeps extends EvidenceSources {
  /** The folder under which services stand. */
  readonly evidenceFolder: string;
  /** Asked for at every sealing, as keys change. */
  signer(): Promise<Signer>;
}

export const createEvidenceActivities = (deps: EvidenceDeps): EvidenceActivities =>
  failing({
    sealEvidence: async (given: SealOrder): Promise<Sealed> => {
      // A stage that was done more than once leaves its files once.
      const order = { ...given, done: STAGES.filter((stage) => given.done.includes(stage)) };
      const made = await filesOf(order, deps);
      const files = new Map([...configurationFile(order), ...[...made.values()].flat()].sort(byName));
      for (const bytes of files.values()) await deps.artifacts.put(bytes);

      const missing = missingFrom(order, made);
      const subjects = [...files].map(([name, bytes]) => ({ name, digest: { sha256: sha256(bytes) } }));
      const payload = statementBytes(subjects, predicateOf(order, made, missing));
      const folder = evidenceFolder(deps.evidenceFolder, order.service, order.cycle);
      const envelope = (await presentEnvelope(folder, files, payload)) ?? (await write(deps, folder, files, payload));
      const statement = await deps.artifacts.put(envelope);
      return { outcome: order.end.outcome, complete: missing.length === 0, missing, statement };
    },
  });

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);

const write = async (deps: EvidenceDeps, folder: string, files: Files, payload: Buffer): Promise<Buffer> => {
  const envelope = Buffer.from(canonicalJson(await signedEnvelope(PAYLOAD_TYPE, payload, await deps.signer())));
  // Before the folder is there: its statement must not be the only copy.
  await deps.artifacts.put(envelope);
  if ((await writeFolder(folder, new Map([...files, [STATEMENT, envelope]]))) === 'written') return envelope;
  return (await presentEnvelope(folder, files, payload)) ?? envelope;
};

/** The envelope of the folder, where it says the same; its signature may be that of an older key. */
const presentEnvelope = async (folder: string, files: Files, payload: Buffer): Promise<Buffer | null> => {
  const present = await readFolder(folder);
  if (present === null) return null;
  const envelope = present.get(STATEMENT);
  const others = [...present.keys()].filter((name) => name !== STATEMENT);
  const same =
    envelope !== undefined &&
    others.length === files.size &&
    [...files].every(([name, bytes]) => present.get(name)?.equals(bytes)) &&
    openStatement(envelope).payload.equals(payload);
  if (same) return envelope;
  throw new PawlError('Refused', `${folder} holds other evidence than that of this cycle.`, {
    hint: 'It was changed, or comes from another store: `pawl evidence verify` says what differs. Move it away.',
  });
};

const missingFrom = ({ done, evidence, end }: SealOrder, made: ReadonlyMap<Stage, NamedFiles>): string[] => {
  const missing = done.flatMap((stage) => {
    const names = (made.get(stage) ?? []).map(([name]) => name);
    const run = evidence.train ? runFolder(evidence.train.sha256) : 'mlflow_run_<id>';
    return FILES_OF[stage]
      .filter((wanted) => !(wanted.endsWith('/model') && noModel(end, done)))
      .map((wanted) => wanted.replace('mlflow_run_<id>', run))
      .filter((wanted) => !names.some((name) => name === wanted || name.startsWith(`${wanted}/`)));
  });
  return [...new Set(missing)];
};

/** Nothing beat the champion, so there is nothing to keep. */
const noModel = ({ challenger }: SealOrder['end'], done: readonly Stage[]): boolean =>
  challenger === null && !done.includes('evaluate');

const predicateOf = (order: SealOrder, made: ReadonlyMap<Stage, NamedFiles>, missing: readonly string[]): Predicate => {
  const { service, cycle, plan, champion, end, done } = order;
  return {
    ...{ service, cycle, champion },
    outcome: end.outcome,
    because: end.because,
    challenger: end.challenger,
    serves: end.champion,
    plan: sha256(Buffer.from(canonicalJson(plan))),
    config: plan.config,
    commit: plan.commit,
    complete: missing.length === 0,
    missing: [...missing],
    done: [...done],
    stages: Object.fromEntries(
      done.map((stage) => [
        stage,
        {
          evidence: order.evidence[stage] ?? null,
          own: isPluggable(stage) && isOwn(plan, stage),
          files: (made.get(stage) ?? []).map(([name]) => name),
        },
      ]),
    ),
  };
};
