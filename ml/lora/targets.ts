/** Which layers an adapter lies over, in PEFT's meaning of its own words. */

import { PawlError } from '../../contracts/failures.ts';
import type { LoraConfig } from '../../contracts/lora.ts';

export const ALL_LINEAR = 'all-linear';
/** Every linear layer of the encoder; PEFT itself would take `all-linear` to hold the pooler too. */
export const ALL_LINEAR_PATTERN =
  '(bert\\.)?encoder\\.layer\\.\\d+\\.(attention\\.self\\.(query|key|value)|attention\\.output\\.dense|intermediate\\.dense|output\\.dense)';

type Names = string | readonly string[];

/** Those of `modules` that the configuration names, in their order. */
export function targetModules(
  modules: readonly string[],
  { targets, exclude = [] }: Pick<LoraConfig, 'targets' | 'exclude'>,
): string[] {
  const wanted = matcher('targets', targets);
  const unwanted = matcher('exclude', exclude);
  const found = modules.filter((module) => wanted(module) && !unwanted(module));
  if (found.length > 0) return found;
  const which = typeof targets === 'string' ? targets : targets.join(', ');
  throw new PawlError('Usage', `targets: no linear layer matches ${JSON.stringify(which)}`, {
    hint: `There are ${modules.length}, such as ${modules[0]}. A text is a regular expression over the whole name; a list holds names or endings.`,
  });
}

/** A text must match the whole name; a list names layers, or their endings after a dot. */
export function matcher(what: string, names: Names): (module: string) => boolean {
  if (typeof names === 'string') {
    const pattern = names.toLowerCase() === ALL_LINEAR ? ALL_LINEAR_PATTERN : names;
    const expression = regularExpression(what, `^(?:${pattern})$`, names);
    return (module) => names !== '' && expression.test(module);
  }
  return (module) => names.some((name) => module === name || module.endsWith(`.${name}`));
}

/** The value of the first pattern that matches a layer's name, or its ending after a dot. */
export function patternValue(
  what: string,
  patterns: Readonly<Record<string, number>> | undefined,
  module: string,
): number | undefined {
  const entries = Object.entries(patterns ?? {});
  return entries.find(([key]) => regularExpression(what, `^(?:.*\\.)?(?:${key})$`, key).test(module))?.[1];
}

/** Python's, of which JavaScript spells named groups otherwise. */
const regularExpression = (what: string, source: string, asked: string): RegExp => {
  try {
    return new RegExp(source.replaceAll('(?P<', '(?<'));
  } catch (cause) {
    throw new PawlError('Usage', `${what}: ${JSON.stringify(asked)} is no regular expression`, {
      hint: 'Write a regular expression over whole names of layers, or a list of names or endings.',
      cause,
    });
  }
};
