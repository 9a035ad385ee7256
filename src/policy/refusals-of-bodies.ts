import { idOf, type Resource } from '../fhir/element.ts'
import type { Fault } from '../fhir/fault.ts'
import type { Refusal } from './refusal.ts'

/** The refusals of a body that cannot be read: one for each fault. */
export function malformedBody(faults: readonly Fault[], cause: Refusal['cause'] = 'body-malformed'): Refusal[] {
  return faults.map(({ sentence, expression, tooLarge }) => ({
    cause: tooLarge ? 'too-large' : cause,
    diagnostics: sentence,
    ...(expression !== undefined && { expression }),
  }))
}

/** Type and id of a body must be those of the target; a conditional update's body may leave the id out. */
export function mismatchOf(resource: Resource, type: string, id: string | undefined): Refusal | undefined {
  if (resource.type !== type) {
    return { cause: 'body-mismatch', diagnostics: `The body is not a ${type}, which the URL names.` }
  }
  if (id === undefined || idOf(resource) === id) return undefined
  return {
    cause: 'body-mismatch',
    diagnostics: 'The id in the body is not the one in the URL; send the same in both.',
    expression: `${type}.id`,
  }
}
