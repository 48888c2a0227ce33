/**
 * Which artifacts a text names.
 *
 * 1. Every run of 64 hex digits may be the name of an artifact: what is named in any way at all is kept. Too much kept
 *    costs disk; too little costs evidence.
 * 2. A reference ({ uri, sha256 }) is a promise that the artifact is there; a run of digits alone is none.
 * 3. What a DSSE envelope carries is base64, and is looked into.
 */

export interface Names {
  readonly digests: Set<string>;
  /** Those that a reference names. */
  readonly refs: Set<string>;
}

const DIGEST = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;
const URI = /^artifact:sha256\/([0-9a-f]{64})$/;
/** Longer texts are looked at in parts, each of which overlaps the next by more than a digest. */
const PART = 1 << 20;

export const namesIn = (bytes: Buffer): Names => {
  const names: Names = { digests: new Set(), refs: new Set() };
  for (let at = 0; at < bytes.length; at += PART) {
    for (const [digest] of bytes.toString('latin1', at, at + PART + 65).matchAll(DIGEST)) names.digests.add(digest);
  }
  walk(jsonOf(bytes), names);
  return names;
};

export const merge = (into: Names, { digests, refs }: Names): void => {
  for (const digest of digests) into.digests.add(digest);
  for (const digest of refs) into.refs.add(digest);
};

/** undefined where the bytes are something else, such as the lines of a corpus. */
const jsonOf = (bytes: Buffer): unknown => {
  if (bytes[0] !== 0x7b && bytes[0] !== 0x5b) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
};

const walk = (value: unknown, names: Names): void => {
  if (typeof value !== 'object' || value === null) return;
  const { uri, payload, payloadType } = value as Record<string, unknown>;
  const named = typeof uri === 'string' ? URI.exec(uri)?.[1] : undefined;
  if (named !== undefined) names.refs.add(named);
  if (typeof payload === 'string' && typeof payloadType === 'string') {
    merge(names, namesIn(Buffer.from(payload, 'base64')));
  }
  for (const part of Object.values(value)) walk(part, names);
};
