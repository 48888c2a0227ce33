/** Where things lie in a home: the folder with pawl.yaml, or with services/, that a team runs Pawl in. */
import { join } from 'node:path';

export interface HomePaths {
  /** What a person writes and keeps in Git. */
  readonly config: string;
  readonly services: string;
  readonly people: string;
  /** The public key of the ledger's heads: Pawl writes it once, a person keeps it in Git. */
  readonly ledgerKey: string;
  /** What Pawl writes; ignored by Git. */
  readonly state: string;
  readonly control: string;
  readonly metrics: string;
  /** API keys of the gateway, as hashes. */
  readonly access: string;
  readonly artifacts: string;
  /** Sealed evidence of cycles, a folder each: `<service>/<cycle>`. */
  readonly evidence: string;
  readonly indexes: string;
  /** Documents of each service: `<service>.db`. */
  readonly documents: string;
  /** Indexes over their parts: `<service>/<recipe>`. */
  readonly retrieval: string;
  /** Which process computes on which device. */
  readonly devices: string;
  /** Private keys, for nobody else to read. */
  readonly keys: string;
  readonly operatorKey: string;
  /** What `pawl up` started, while it runs. */
  readonly up: string;
}

export const homePaths = (home: string): HomePaths => {
  const state = join(home, '.pawl');
  return {
    config: join(home, 'pawl.yaml'),
    services: join(home, 'services'),
    people: join(home, 'people.json'),
    ledgerKey: join(home, 'ledger.vkey'),
    state,
    control: join(state, 'control.db'),
    metrics: join(state, 'metrics.db'),
    access: join(state, 'access.db'),
    artifacts: join(state, 'artifacts'),
    evidence: join(state, 'artifacts'),
    indexes: join(state, 'indexes'),
    documents: join(state, 'documents'),
    retrieval: join(state, 'retrieval'),
    devices: join(state, 'devices'),
    keys: join(state, 'keys'),
    operatorKey: join(state, 'keys', 'operator.pem'),
    up: join(state, 'up.json'),
  };
};
