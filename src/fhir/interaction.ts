/**
 * What is asked, in FHIR's restful-interaction codes, plus `paging` (a server's own link to a further page).
 * https://hl7.org/fhir/STU3/valueset-restful-interaction.html, https://hl7.org/fhir/R4/valueset-restful-interaction.html
 */
export const interactionCodes = [
  'read',
  'vread',
  'update',
  'patch',
  'delete',
  'history-instance',
  'history-type',
  'history-system',
  'create',
  'search-type',
  'search-system',
  'capabilities',
  'transaction',
  'batch',
  'operation',
  'paging',
] as const

export type InteractionCode = (typeof interactionCodes)[number]

/** A request whose target has been read completely: nothing of it is left that nobody understood. */
export interface Interaction {
  readonly code: InteractionCode
  /** The HTTP method that came; HEAD is its GET. */
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** The resource type; undefined on the system level. */
  readonly type?: string
  /** The resource's logical id; it may hold a patient's number, so it is never logged. */
  readonly id?: string
  /** vread: the version id. */
  readonly version?: string
  /** operation: its name without `$`. */
  readonly operation?: string
  /** A conditional update, patch or delete: the target names criteria instead of an id. */
  readonly conditional?: boolean
  /** The canonical path below the base, rebuilt from what was read: `/Flag/1`; empty for the base itself. */
  readonly path: string
  /** The raw query without `?`; empty when there is none. */
  readonly query: string
}

/** Interactions that never change what is stored. */
export const readingInteractions: ReadonlySet<InteractionCode> = new Set([
  'read',
  'vread',
  'history-instance',
  'history-type',
  'history-system',
  'search-type',
  'search-system',
  'capabilities',
  'paging',
])
