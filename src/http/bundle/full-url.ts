import type { Element } from '../../fhir/element.ts'
import type { Refusal } from '../../policy/refusal.ts'
import type { Entry } from './entry.ts'

const placeholder = /^urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const anywhere = /urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** Whether a fullUrl stands for an id that the server is to give. https://hl7.org/fhir/R4/bundle.html#references */
export const isPlaceholder = (fullUrl: string) => placeholder.test(fullUrl)

/** The placeholders of a transaction, in lower case. */
export function placeholdersOf(entries: readonly Entry[]): ReadonlySet<string> {
  const fullUrls = entries.flatMap((entry) =>
    entry.kind === 'write' && entry.fullUrl !== undefined ? [entry.fullUrl] : [],
  )
  return new Set(fullUrls.filter(isPlaceholder).map((fullUrl) => fullUrl.toLowerCase()))
}

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

/** The placeholders, of those given in lower case, that occur anywhere in a resource. */
export function placeholdersWithin(element: Element, placeholders: ReadonlySet<string>): readonly string[] {
  if (placeholders.size === 0) return []
  const found = (element.value?.text.match(anywhere) ?? []).filter((text) => placeholders.has(text.toLowerCase()))
  for (const { items } of element.children.values()) {
    for (const item of items) found.push(...placeholdersWithin(item, placeholders))
  }
  return found.map((text) => text.toLowerCase())
}
