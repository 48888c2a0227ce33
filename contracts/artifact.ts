/** What travels instead of bytes: where a content-addressed artifact lies, and the digest that it must have. */
export interface ArtifactRef {
  readonly uri: string;
  readonly sha256: string;
}
