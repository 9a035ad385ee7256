import type { Element } from '../../fhir/element.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { Entry } from './entry.ts'

const placeholder = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Whether a fullUrl stands for an id that the server is to give. https://hl7.org/fhir/R4/bundle.html#references */
export const isPlaceholder = (fullUrl: string) => placeholder.test(fullUrl)

/**
 * What is wrong with the fullUrls of a transaction. A server replaces each throughout the Bundle, so one of a create must be
 * nothing that could name something else: an existing resource, or the OID of a naming system.
 */
export function refusalsOfFullUrls(entries: readonly Entry[]): Refusal[] {
  const refusals: Refusal[] = []
  const seen = new Set<string>()
  for (const [index, entry] of entries.entries()) {
    if (entry.kind !== 'write' || entry.fullUrl === undefined) continue
    const refuse = (diagnostics: string) =>
      refusals.push({ cause: 'request-malformed', diagnostics, expression: `Bundle.entry[${index}].fullUrl` })
    const { fullUrl, asked } = entry
    const { interaction, type, id } = asked
    const ofTarget = id !== undefined && fullUrl.endsWith(`/${type}/${id}`)
    if (!isPlaceholder(fullUrl) && !ofTarget) {
      refuse(
        interaction === 'create' || id === undefined
          ? 'The fullUrl of a resource without an id of its own is urn:uuid: and a UUID.'
          : 'The fullUrl names another resource than the url of the entry.',
      )
    }
    const key = fullUrl.toLowerCase()
    if (isPlaceholder(fullUrl) && seen.has(key)) refuse('An earlier entry has the same fullUrl.')
    seen.add(key)
  }
  return refusals
}

/** Whether a placeholder occurs anywhere in a resource. */
export function replacesWithin(fullUrl: string, element: Element): boolean {
  if (element.value?.text.toLowerCase().includes(fullUrl.toLowerCase())) return true
  for (const { items } of element.children.values()) {
    if (items.some((item) => replacesWithin(fullUrl, item))) return true
  }
  return false
}
