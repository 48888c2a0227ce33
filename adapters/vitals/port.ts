import type { Vitals } from '../../contracts/vitals.ts';

/** Readings of a live service over a window; a metric for which there is no data is absent. */
export interface VitalsSource {
  /** `mirrored`: of what was found without anybody seeing it, and of nothing else. */
  read(window: { service: string; from: number; to: number; variant?: string; mirrored?: boolean }): Promise<Vitals>;
}
