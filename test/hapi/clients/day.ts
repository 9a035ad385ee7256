import type { Json } from '../records.ts'

/** What a client says of one step of its day: what it was given, or what its own error type tells of a refusal. */
export interface Step {
  readonly step: string
  readonly given?: Json
  readonly refused?: {
    /** The class of the error. */
    readonly error: string
    /** The HTTP status, where the error has it. */
    readonly status?: number
    readonly issues: readonly Issue[]
  }
}

/** Of an OperationOutcome.issue: its code, the first code of its details, the first of its expressions. */
export interface Issue {
  readonly issue: string
  readonly code?: string | null
  readonly diagnostics?: string
  readonly expression?: string
}

/** Works through the gateway on flags of a patient who has none before. */
export type Work = (baseUrl: string, patient: string) => Promise<readonly Step[]>
