import { createHash } from 'node:crypto';

/** Of the use that is decided, so that asking again about the same use is the same decision. */
export const decisionId = (key: string): string => `pd_${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
