/** What brings a model: it writes the files that make one into an empty folder, and says what came. */
import type { ModelSource } from './source.ts';

export type Tell = (line: string) => void;

export interface Fetched {
  readonly name: string;
  /** With the version or revision that came. */
  readonly source: ModelSource;
}
