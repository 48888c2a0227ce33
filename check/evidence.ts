/**
 * What the checker looks at. It shares no code with those who wrote it: what it needs to know of their formats it says
 * again here, and fields that it does not know it passes over.
 */

export interface Arm {
  readonly variant: string;
  readonly share: number;
  readonly mirror?: number;
  readonly interleave?: boolean;
}
export interface ServiceState {
  readonly service: string;
  readonly latch: string;
  readonly because: string;
  readonly epoch: number;
  readonly promotion: number;
  readonly champion: string | null;
  readonly gold: string | null;
  readonly arms: readonly Arm[];
}
export interface LedgerRow {
  readonly seq: number;
  readonly at: string;
  readonly service: string;
  readonly cycle: string | null;
  readonly kind: string;
  readonly actor: { readonly kind: string; readonly name: string };
  readonly reason: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Absent in a ledger from before its rows were chained. */
  readonly prev?: string | null;
  readonly hash?: string | null;
}
/** What the store says of its own ledger, and its signature. */
export interface Head {
  readonly size: number;
  readonly root: string;
  readonly checkpoint: string;
  /** The key that signs it, as the store itself says. */
  readonly vkey?: string;
}
export interface Served {
  readonly at: number;
  readonly service: string;
  readonly variant: string;
  readonly latencyMs: number;
  readonly error: string | null;
  /** Nobody saw it. */
  readonly mirrored?: boolean;
  /** The variants whose documents were put together. */
  readonly teams?: readonly string[];
}
export interface Registered {
  readonly id: string;
  readonly service: string;
  readonly origin: string;
  /** Digest of its content. */
  readonly sha256?: string;
}
export interface Person {
  readonly name: string;
  readonly roles: readonly string[];
  readonly kid: string;
  /** The 32 bytes of an Ed25519 key, in base64url. */
  readonly publicKey: string;
  readonly revoked: string | null;
}

export interface Evidence {
  /** In the order of seq. */
  readonly ledger: readonly LedgerRow[];
  readonly services: readonly ServiceState[];
  readonly variants: readonly Registered[];
  readonly served: readonly Served[];
  /** null or absent: the home has none, and the rules about it do not apply. */
  readonly head?: Head | null;
  /** The line of `ledger.vkey`. */
  readonly ledgerKey?: string | null;
  readonly people?: readonly Person[] | null;
  readonly artifacts?: Artifacts | null;
}
export interface Artifacts {
  /** The bytes that lie under this digest, whatever they are; null where nothing does. */
  read(sha256: string): Uint8Array | null;
}
