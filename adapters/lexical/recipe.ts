import { createHash } from 'node:crypto';
import type { Tokenising } from '../../domain/tokens.ts';

/** Raise it when the same text would give other tokens, or the file another form: every index is then built anew. */
const INDEX_VERSION = 1;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The settings that decide which tokens an index holds; all others only matter when a query comes. */
export const tokenisingOf = ({ stemming, splitIdentifiers }: Tokenising): Tokenising => ({
  stemming,
  splitIdentifiers,
});

/** Digest of the recipe of an index. Documents are no part of it (docs/adr/0002). */
export const recipeOf = ({ stemming, splitIdentifiers }: Tokenising): string =>
  sha256(JSON.stringify({ index: INDEX_VERSION, stemming, splitIdentifiers }));

/** Names the index that a recipe gives over one state of the corpus. */
export const indexKey = (corpusSha256: string, recipe: string): string => sha256(`${corpusSha256}:${recipe}`);
