/** Other settings than those of a cycle, by name: what a person may ask `what if` about. */
import { type ApprovalPlan, type CyclePlan, MODES } from '../contracts/plan.ts';
import type { Gate } from '../contracts/vitals.ts';
import type { Settings } from './rederive.ts';

/** `gate.…` is every gate to which it applies. */
export const WHAT_IFS: ReadonlyArray<readonly [name: string, about: string]> = [
  ['gate.drop', 'every gate on a drop: the drop that is allowed, such as 2%'],
  ['gate.samples', 'every gate: the samples that it needs'],
  ['gates.<name>.drop', 'one gate: the drop that is allowed'],
  ['gates.<name>.above', 'one gate: the reading that it must not pass'],
  ['gates.<name>.below', 'one gate: the reading that it must not fall below'],
  ['gates.<name>.samples', 'one gate: the samples that it needs'],
  ['watch.maxDrop', 'the drop that is allowed while the challenger is watched'],
  ['watch.samples', 'the samples that each arm needs while it is watched'],
  ['approval.quorum', 'how many people must approve; 0 asks nobody'],
  ['training.trials', 'so many trials at most, of those that were made'],
  ['mode', MODES.join(', ')],
  ['trigger', 'gate, schedule or hand'],
];

/** The settings with the change, or why there is no such change. */
export const withWhatIf = (settings: Settings, text: string): Settings | { readonly because: string } => {
  const [, name = '', value = ''] = /^([^=]+)=(.+)$/.exec(text.trim()) ?? [];
  if (name === '') return { because: `"${text}" is no change: expected a name and a value, such as gate.drop=2%` };
  const { plan } = settings;
  const withPlan = (change: Partial<CyclePlan>): Settings => ({ ...settings, plan: { ...plan, ...change } });
  if (name === 'mode') return chosen(MODES, value, (mode) => withPlan({ mode }));
  if (name === 'trigger') {
    return chosen(['gate', 'schedule', 'hand'] as const, value, (trigger) => ({ ...settings, trigger }));
  }
  const number = numberOf(value);
  if (number === null) return { because: `${name}: "${value}" is no number and no percentage` };
  if (name === 'watch.maxDrop') return withPlan({ watch: { ...plan.watch, maxDrop: number } });
  const counts = /^(watch\.samples|training\.trials)$/.test(name);
  if (counts && !isCount(number, 1)) return { because: `${name}: expected a whole number, at least 1` };
  if (name === 'watch.samples') return withPlan({ watch: { ...plan.watch, samples: number } });
  if (name === 'training.trials') return withPlan({ training: { ...plan.training, trials: number } });
  if (name === 'approval.quorum') {
    if (!isCount(number, 0)) return { because: `${name}: expected a whole number` };
    return withPlan({ approval: approvalOf(plan.approval, number) });
  }
  return withGate(plan, name, number, (gates) => withPlan({ gates }));
};

const approvalOf = (approval: ApprovalPlan | null, quorum: number): ApprovalPlan | null =>
  quorum === 0 ? null : { expiresMs: 86_400_000, ...approval, quorum };

const withGate = (
  { gates }: CyclePlan,
  name: string,
  value: number,
  done: (gates: readonly Gate[]) => Settings,
): Settings | { readonly because: string } => {
  const [, all, one, field = ''] = /^(?:(gate)|gates\.(.+))\.(drop|above|below|samples)$/.exec(name) ?? [];
  if (all === undefined && one === undefined) {
    return { because: `there is no "${name}" to change; there are ${WHAT_IFS.map(([known]) => known).join(', ')}` };
  }
  const known = gates.map((gate) => gate.name).join(', ') || 'none';
  if (one !== undefined && !gates.some((gate) => gate.name === one)) {
    return { because: `there is no gate "${one}"; there are: ${known}` };
  }
  if (field === 'samples' && !isCount(value, 1)) return { because: `${name}: expected a whole number, at least 1` };
  const meant = (gate: Gate): boolean =>
    gate.name === one || (all !== undefined && (field === 'samples' || field in gate.rule));
  if (!gates.some(meant)) return { because: `no gate has a rule on ${field}; there are: ${known}` };
  return done(gates.map((gate) => (meant(gate) ? changed(gate, field, value) : gate)));
};

const changed = (gate: Gate, field: string, value: number): Gate => {
  if (field === 'samples') return { ...gate, samples: value };
  const rule = field === 'drop' ? { drop: value } : field === 'above' ? { above: value } : { below: value };
  return { ...gate, rule };
};

const chosen = <T extends string>(known: readonly T[], value: string, done: (value: T) => Settings) => {
  const found = known.find((one) => one === value);
  return found === undefined ? { because: `"${value}" is none of ${known.join(', ')}` } : done(found);
};

const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;

const numberOf = (text: string): number | null => {
  const [, digits = '', percent] = /^(-?\d+(?:\.\d+)?)\s*(%?)$/.exec(text) ?? [];
  if (digits === '') return null;
  return percent === '%' ? Number(digits) / 100 : Number(digits);
};
