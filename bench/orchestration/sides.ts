/** The two sides of the comparison, and what crosses to their worker processes. */
export const BARE_QUEUE = 'bench-bare';
/** Where a bare workflow's activities go that a cycle would send to a queue of another worker. */
export const BARE_DATA_QUEUE = 'bench-bare-data';

export interface BareInput {
  /** Activities on the workflow's own queue, and on the other one. */
  readonly here: number;
  readonly elsewhere: number;
  /** What an activity gets as its input. */
  readonly payload: string;
  /** Search attributes are set so many times. */
  readonly upserts: number;
  /** The workflow tells what it does so many times, as a cycle does with its timeline. */
  readonly details: number;
  /** Timers that are started at the beginning and cancelled at the end. */
  readonly timers: number;
}

export const BARE: BareInput = { here: 0, elsewhere: 0, payload: '', upserts: 0, details: 0, timers: 0 };

export type Side = 'pawl' | 'bare';

/** What a worker process is started with. */
export interface SideSetup {
  readonly side: Side;
  readonly address: string;
  readonly bundle: string;
  /** Folder of the control store. */
  readonly home: string;
}
