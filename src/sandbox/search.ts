import { type Element, type Resource, childrenOf, idOf, textOf } from '../fhir/element.ts'

/** Parameters that every search takes and that select nothing. */
const resultParameters: ReadonlySet<string> = new Set(['_count', '_format', '_pretty', '_sort', '_total'])

type Matcher = (resource: Resource, wanted: string) => boolean

const matchers: ReadonlyMap<string, Matcher> = new Map<string, Matcher>([
  ['_id', (resource, wanted) => idOf(resource) === wanted],
  ['patient', refersTo],
  ['subject', refersTo],
  ['status', token('status')],
  ['code', token('code')],
  ['category', token('category')],
  ['identifier', token('identifier')],
])

export const searchParameters: readonly string[] = [...matchers.keys()]

/** The names of the parameters that no search of the sandbox takes. */
export function unknownParameters(query: URLSearchParams): readonly string[] {
  return [...query.keys()].filter((name) => !matchers.has(name) && !resultParameters.has(name))
}

/** Whether any parameter selects at all: a conditional write without one would concern everything. */
export function hasCriteria(query: URLSearchParams): boolean {
  return [...query.keys()].some((name) => matchers.has(name))
}

/** Repeated parameters must all match, of values with commas between them any one. */
export function matches(resource: Resource, query: URLSearchParams): boolean {
  return [...query].every(([name, value]) => {
    const matcher = matchers.get(name)
    return !matcher || value.split(',').some((wanted) => matcher(resource, wanted))
  })
}

/** `9000000009`, `Patient/9000000009` or the whole reference as it is stored. */
function refersTo(resource: Resource, wanted: string): boolean {
  const references = [...childrenOf(resource, 'subject'), ...childrenOf(resource, 'patient')]
  return references.some((reference) => {
    const stored = textOf(reference, 'reference') ?? ''
    return stored === wanted || stored.endsWith(`/${wanted}`)
  })
}

/** `code`, `system|code`, `|code` or `system|`. https://hl7.org/fhir/STU3/search.html#token */
function token(element: string): Matcher {
  return (resource, wanted) => {
    const bar = wanted.indexOf('|')
    const system = bar < 0 ? undefined : wanted.slice(0, bar)
    const code = wanted.slice(bar + 1)
    return childrenOf(resource, element)
      .flatMap(codesOf)
      .some((stored) => {
        if (system !== undefined && (stored.system ?? '') !== system) return false
        return code === '' ? system !== undefined : stored.code === code
      })
  }
}

function codesOf(
  element: Element,
): readonly { readonly system?: string | undefined; readonly code?: string | undefined }[] {
  if (element.value) return [{ code: element.value.text }]
  if (element.type === 'Identifier') return [{ system: textOf(element, 'system'), code: textOf(element, 'value') }]
  const codings = element.type === 'Coding' ? [element] : childrenOf(element, 'coding')
  return codings.map((coding) => ({ system: textOf(coding, 'system'), code: textOf(coding, 'code') }))
}
