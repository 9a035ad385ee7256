/** One version of a resource, as a history tells of it. */
export interface Version {
  readonly type: string
  readonly id: string
  /** The version id; undefined when the history does not say it. */
  readonly version: string | undefined
  /** When it was stored, as written; undefined when the history does not say it. */
  readonly at: string | undefined
  readonly state: 'stored' | 'deleted' | 'unreadable'
}

/** A version with what it holds. */
export interface ToldVersion extends Version {
  /** FHIR JSON, as written; undefined when it was deleted, or is not there. */
  readonly text: string | undefined
}

/** `Flag/1` */
export const keyOf = ({ type, id }: Pick<Version, 'type' | 'id'>) => `${type}/${id}`
