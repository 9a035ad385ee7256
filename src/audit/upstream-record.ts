/** What is known of one request to an upstream when it has been answered, or given up. */
export interface UpstreamRecord {
  /** Path of our FHIR base. */
  readonly base: string
  readonly kind: UpstreamRequestKind
  /** To the answer's header section where a read passes through, else to its end. */
  readonly milliseconds: number
  /** HTTP status of the answer, when there was one. */
  readonly status?: number
  readonly failure?: UpstreamFailure
}

/** For a client; to judge against; a write that was permitted. */
export type UpstreamRequestKind = 'read' | 'stored-version' | 'write'

export type UpstreamFailure = 'unreachable' | 'too-slow' | 'too-large' | 'broken-off' | 'server-error'

/** What became of a look for a stored version in the cache, or of what was in it. */
export type CacheEvent = 'hit' | 'miss' | 'evicted'
