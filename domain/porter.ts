/**
 * The stemmer of M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980, for lower-case ASCII words;
 * anything else is returned as it came.
 */

/** c for consonants, v for vowels: `y` is a vowel after a consonant. */
function shape(word: string): string {
  let out = '';
  for (let i = 0; i < word.length; i++) {
    const letter = word.charAt(i);
    out += /[aeiou]/.test(letter) || (letter === 'y' && i > 0 && out[i - 1] === 'c') ? 'v' : 'c';
  }
  return out;
}

/** m of the paper: how often a vowel run is followed by a consonant run. */
const measure = (word: string): number => shape(word).match(/v+c+/g)?.length ?? 0;
const hasVowel = (word: string): boolean => shape(word).includes('v');
const endsDouble = (word: string): boolean => /([a-z])\1$/.test(word) && shape(word).endsWith('c');
/** *o of the paper: consonant, vowel, consonant that is not w, x or y. */
const endsShort = (word: string): boolean => shape(word).endsWith('cvc') && !/[wxy]$/.test(word);

type Rule = readonly [suffix: string, replacement: string];

const STEP_2: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
];
const STEP_3: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];
const STEP_4: readonly Rule[] = (
  'al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize'.split(' ') as string[]
).map((suffix) => [suffix, ''] as const);

/** The longest suffix that fits decides; its condition may then still say no. */
function strip(word: string, rules: readonly Rule[], least: number): string {
  let best: Rule | undefined;
  for (const rule of rules) {
    if (word.endsWith(rule[0]) && rule[0].length > (best?.[0].length ?? 0)) best = rule;
  }
  if (best === undefined) return word;
  const root = word.slice(0, -best[0].length);
  if (measure(root) < least) return word;
  if (best[0] === 'ion' && !/[st]$/.test(root)) return word;
  return root + best[1];
}

function plural(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function pastOrProgressive(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const root = word.endsWith('ed') ? word.slice(0, -2) : word.endsWith('ing') ? word.slice(0, -3) : undefined;
  if (root === undefined || !hasVowel(root)) return word;
  if (/(at|bl|iz)$/.test(root)) return `${root}e`;
  if (endsDouble(root) && !/[lsz]$/.test(root)) return root.slice(0, -1);
  return measure(root) === 1 && endsShort(root) ? `${root}e` : root;
}

function tidy(word: string): string {
  let out = word;
  if (out.endsWith('e')) {
    const root = out.slice(0, -1);
    if (measure(root) > 1 || (measure(root) === 1 && !endsShort(root))) out = root;
  }
  return measure(out) > 1 && out.endsWith('ll') ? out.slice(0, -1) : out;
}

const known = new Map<string, string>();
/** Bounded: words of one corpus repeat, and a stem never changes. */
const KNOWN_LIMIT = 50_000;

export function stem(word: string): string {
  if (word.length <= 2 || !/^[a-z]+$/.test(word)) return word;
  const seen = known.get(word);
  if (seen !== undefined) return seen;
  let out = pastOrProgressive(plural(word));
  if (out.endsWith('y') && hasVowel(out.slice(0, -1))) out = `${out.slice(0, -1)}i`;
  out = tidy(strip(strip(strip(out, STEP_2, 1), STEP_3, 1), STEP_4, 2));
  if (known.size >= KNOWN_LIMIT) known.clear();
  known.set(word, out);
  return out;
}
