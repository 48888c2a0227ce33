/** One document of a service's corpus. */
export interface CorpusDocument {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}
