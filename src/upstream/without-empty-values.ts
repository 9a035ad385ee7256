/**
 * FHIR JSON without what says nothing: empty lists, objects and texts, and nulls outside of lists. There are servers that
 * write them in their CapabilityStatement, which nobody sends back and nobody judges. Anything but JSON is left as it is.
 */
export function withoutEmptyValues(json: Buffer): Buffer {
  // Most have none: then every digit stays as it was written.
  if (!/(?:\[\s*\]|\{\s*\}|:\s*(?:""|null))/.test(json.toString('latin1'))) return json
  try {
    const kept = pruned(JSON.parse(json.toString('utf8')))
    return kept === undefined ? json : Buffer.from(JSON.stringify(kept))
  } catch {
    return json
  }
}

function pruned(value: unknown): unknown {
  if (value === null || value === '') return undefined
  if (Array.isArray(value)) {
    const items = value.map((item) => (item === null ? null : pruned(item))).filter((item) => item !== undefined)
    return items.length === 0 ? undefined : items
  }
  if (typeof value !== 'object') return value
  const members = Object.entries(value).flatMap(([name, member]) => {
    const kept = pruned(member)
    return kept === undefined ? [] : [[name, kept] as const]
  })
  return members.length === 0 ? undefined : Object.fromEntries(members)
}
