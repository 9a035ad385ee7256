import { trimmedField } from './field-value.ts'
import { remembering } from './remembering.ts'
import { releaseOf, type FhirRelease } from './version.ts'

/** The two formats of FHIR that the gateway reads and writes. */
export type Format = 'json' | 'xml'

/** The media type of what the gateway sends. https://hl7.org/fhir/STU3/http.html#mime-type */
export const mediaTypeOf: Readonly<Record<Format, string>> = {
  json: 'application/fhir+json',
  xml: 'application/fhir+xml',
}

/** What a 415 lists under Accept. */
export const acceptedMediaTypes = 'application/fhir+json, application/fhir+xml'

/** Today's names, those before STU3, and the plain ones. */
const formats: ReadonlyMap<string, Format> = new Map([
  ['application/fhir+json', 'json'],
  ['application/json+fhir', 'json'],
  ['application/json', 'json'],
  ['application/fhir+xml', 'xml'],
  ['application/xml+fhir', 'xml'],
  ['application/xml', 'xml'],
  ['text/xml', 'xml'],
])

/** What `_format` may be beside a media type. https://hl7.org/fhir/STU3/http.html#parameters */
const formatCodes: ReadonlyMap<string, Format> = new Map([
  ['json', 'json'],
  ['text/json', 'json'],
  ['xml', 'xml'],
])

/** A media type (RFC 9110, section 8.3.1), names in lower case. */
export interface MediaType {
  readonly name: string
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

const token = "[!#$%&'*+\\-.^_`|~0-9A-Za-z]+"
const parameterPattern = new RegExp(`[ \\t]*;[ \\t]*(?:(${token})=(${token}|"(?:[^"\\\\]|\\\\.)*"))?`, 'y')
const namePattern = new RegExp(`^[ \\t]*(${token}/${token})`)

/** Undefined when it is not one media type. */
export function readMediaType(text: string): MediaType | undefined {
  const name = namePattern.exec(text)
  if (!name) return undefined
  const parameters: [string, string][] = []
  parameterPattern.lastIndex = name[0].length
  let end = name[0].length
  for (let match = parameterPattern.exec(text); match; match = parameterPattern.exec(text)) {
    end = parameterPattern.lastIndex
    if (match[1] === undefined) continue
    const value = match[2]!
    parameters.push([
      match[1].toLowerCase(),
      value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value,
    ])
  }
  return trimmedField(text.slice(end)) === '' ? { name: name[1]!.toLowerCase(), parameters } : undefined
}

/** The format of a body by its Content-Type, or a sentence that says why it is not taken. UTF-8 only. */
export function formatOfBody(
  contentType: string | undefined,
  release: FhirRelease,
): { readonly format: Format } | { readonly sentence: string } {
  if (contentType === undefined) return { sentence: `Content-Type is missing: send ${acceptedMediaTypes}.` }
  const type = readMediaType(contentType)
  const format = type && formats.get(type.name)
  if (!type || !format) return { sentence: `Content-Type is not one that is offered: send ${acceptedMediaTypes}.` }
  const charsets = type.parameters.filter(([name]) => name === 'charset')
  if (charsets.length > 1 || charsets.some(([, value]) => value.toLowerCase() !== 'utf-8')) {
    return { sentence: 'Content-Type names another charset than UTF-8: send UTF-8.' }
  }
  const versions = type.parameters.filter(([name]) => name === 'fhirversion')
  if (versions.some(([, value]) => releaseOf(value) !== release)) {
    return { sentence: 'Content-Type names another FHIR version than the one that is served here.' }
  }
  return { format }
}

/** The format of an answer by its Content-Type; undefined when it is none of FHIR's. */
export function formatOfAnswer(contentType: string | undefined): Format | undefined {
  return contentType === undefined ? undefined : formatOfMediaType(contentType)
}

const formatOfMediaType = remembering((contentType) => {
  const type = readMediaType(contentType)
  return type && formats.get(type.name)
})

/** `any`: the client leaves it open. `none`: it asks for what is not offered. */
export type Asked = Format | 'any' | 'none'

/** The format that a client asks for. `_format` outranks Accept; the higher q-value wins, then what stands first. */
export function askedFormat(formatParameter: string | undefined, accept: string | undefined): Asked {
  if (formatParameter !== undefined && formatParameter !== '') {
    // An unescaped + of `application/fhir+json` in a query has become a space.
    const text = formatParameter.trim().toLowerCase().replaceAll(' ', '+')
    return formatCodes.get(text) ?? formatOfAnswer(text) ?? 'none'
  }
  return accept === undefined ? 'any' : formatOfAccept(accept)
}

const formatOfAccept = remembering((accept): Asked => {
  if (trimmedField(accept) === '') return 'any'
  const ranges = accept.split(',').flatMap((item) => {
    const range = readMediaType(item)
    if (!range) return []
    const quality = Number(range.parameters.find(([name]) => name === 'q')?.[1] ?? '1')
    const asked: Asked | undefined = wildcards.has(range.name) ? 'any' : formats.get(range.name)
    return asked && Number.isFinite(quality) ? [{ asked, quality }] : []
  })
  const best = Math.max(0, ...ranges.map((range) => range.quality))
  if (best === 0) return 'none'
  return ranges.find((range) => range.quality === best)!.asked
})

const wildcards = new Set(['*/*', 'application/*'])
