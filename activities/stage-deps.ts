import type { ArtifactStore } from '../adapters/artifacts/port.ts';
import type { ControlStore } from '../adapters/control/port.ts';
import type { QueryLog } from '../adapters/query-log/port.ts';
import type { VitalsSource } from '../adapters/vitals/port.ts';
import type { ServiceConfig } from '../contracts/config.ts';

/** What the built-in stages need of the world. */
export interface StageDeps {
  readonly control: ControlStore;
  readonly artifacts: ArtifactStore;
  readonly vitals: VitalsSource;
  readonly queryLog: Pick<QueryLog, 'read'>;
  readonly services: { config(service: string): Promise<ServiceConfig> };
  /** Where index files are built and kept. */
  readonly indexFolder: string;
  now(): number;
}
