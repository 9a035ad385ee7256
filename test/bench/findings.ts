/** What a run has found: as a section of Markdown, and as data. */
export interface Findings {
  readonly heading: string
  readonly section: string
  readonly data: unknown
}
