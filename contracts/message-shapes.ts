/** Narrowing of what a message brings. A signal may carry anything, so nothing here throws. */
import type { CycleRequest } from './messages.ts';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const textOf = (value: unknown, longest: number): string | null =>
  typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, longest) : null;

/** Whatever came: a restriction always works. A bare string counts as its reason. */
export const restrictionOf = (value: unknown): { by: string; reason: string } => {
  const fields = isRecord(value) ? value : { reason: value };
  return { by: textOf(fields.by, 100) ?? 'unknown', reason: textOf(fields.reason, 1000) ?? 'no reason given' };
};

/** The token of a loosening message; a bare string is taken as the token, as one pastes it into the Web UI. */
export const tokenOf = (value: unknown): string | null =>
  textOf(value, 8192) ?? (isRecord(value) ? textOf(value.token, 8192) : null);

export const fieldOf = (value: unknown, name: string): string | null =>
  isRecord(value) ? textOf(value[name], 200) : null;

export const isCycleRequest = (value: unknown): value is CycleRequest =>
  isRecord(value) &&
  textOf(value.key, 1000) !== null &&
  (value.trigger === 'gate' || value.trigger === 'schedule' || value.trigger === 'hand') &&
  isRecord(value.requestedBy) &&
  textOf(value.requestedBy.kind, 100) !== null &&
  textOf(value.requestedBy.name, 200) !== null &&
  typeof value.reason === 'string' &&
  (value.challenger === undefined || (typeof value.challenger === 'string' && /^[0-9a-f]{64}$/.test(value.challenger)));
