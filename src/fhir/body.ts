import type { Definitions } from './definitions.ts'
import type { Resource } from './element.ts'
import type { Parsed } from './fault.ts'
import { parseJson, writeJson } from './json.ts'
import type { Format } from './media-type.ts'
import type { Bounds } from './reading.ts'
import { decodeUtf8 } from './unicode.ts'
import { parseXml, writeXml } from './xml.ts'

/**
 * Reads a resource from the bytes of a body, strictly, in either format.
 * @param like a resource that is much the same, so that it takes less time; what is read does not depend on it
 */
export function readResource(
  bytes: Uint8Array,
  format: Format,
  definitions: Definitions,
  bounds: Bounds,
  like?: Resource,
): Parsed<Resource> {
  const text = decodeUtf8(bytes)
  if (!text.ok) return text
  return format === 'json'
    ? parseJson(text.value, definitions, bounds, like)
    : parseXml(text.value, definitions, bounds, like)
}

/** The text of a resource in either format. */
export function writeResource(resource: Resource, format: Format): string {
  return format === 'json' ? writeJson(resource) : writeXml(resource)
}
