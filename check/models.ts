/** Models that the ledger names: their cards, what the cards name, and what they claim. */
import { erasedIn, fieldIn, NO_FOLDER, whyNot } from './artifacts.ts';
import type { Evidence, LedgerRow } from './evidence.ts';
import { at, type Finding, notApplicable, type Rule } from './reading.ts';

const registeredModelsIn = ({ ledger }: Evidence): LedgerRow[] =>
  ledger.filter(({ kind }) => kind === 'model registered');
const NO_MODEL = notApplicable('no model was registered');
const cardOf = ({ body }: LedgerRow): string =>
  String((body.card as { readonly sha256?: unknown } | undefined)?.sha256);

/** A model is its card and the files that the card names. */
export const keepsModels: Rule = (evidence) => {
  const { artifacts } = evidence;
  if (!artifacts) return NO_FOLDER;
  const rows = registeredModelsIn(evidence);
  if (rows.length === 0) return NO_MODEL;
  const erased = erasedIn(evidence);
  return rows.flatMap((row): Finding[] => {
    const card = cardOf(row);
    if (card !== row.body.id) return [at(row, `model ${row.body.id} has the card of another, ${card}`)];
    const why = whyNot(artifacts, card);
    if (why !== null) return [at(row, `the card of model ${card} ${why}`)];
    const files = fieldIn(artifacts, card, 'files') as Record<string, { readonly sha256: string }> | undefined;
    return Object.entries(files ?? {}).flatMap(([name, { sha256 }]) => {
      const lost = erased.has(sha256) ? null : whyNot(artifacts, sha256);
      return lost === null ? [] : [at(row, `${name} of model ${card} (${sha256}) ${lost}`)];
    });
  });
};

/** So far may what an adapter serves be from what was trained. */
const PARITY = 1e-5;

export const servesWhatWasTrained: Rule = (evidence) => {
  const { artifacts } = evidence;
  if (!artifacts) return NO_FOLDER;
  const adapters = registeredModelsIn(evidence).filter(({ body }) => body.kind === 'adapter');
  if (adapters.length === 0) return notApplicable('no adapter was registered');
  return adapters.flatMap((row): Finding[] => {
    const card = cardOf(row);
    if (whyNot(artifacts, card) !== null) return []; // That is another rule.
    const parity = fieldIn(artifacts, card, 'parity');
    const proven = typeof parity === 'number' && parity >= 0 && parity <= PARITY;
    return proven
      ? []
      : [at(row, `adapter ${card} differs by ${parity} from what was trained, and not by ${PARITY} at most`)];
  });
};
