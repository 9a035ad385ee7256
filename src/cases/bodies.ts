import { readResource } from '../fhir/body.ts'
import type { Definitions } from '../fhir/definitions.ts'
import type { Resource } from '../fhir/element.ts'
import type { Parsed } from '../fhir/fault.ts'
import { parseJsonText, type Json } from '../fhir/json-text.ts'
import { writeJson } from '../fhir/json-write.ts'
import type { Format } from '../fhir/media-type.ts'
import { writeJsonText } from '../fhir/patch/json-value.ts'
import { decodeUtf8 } from '../fhir/unicode.ts'
import { writeXml } from '../fhir/xml-write.ts'
import { didYouMean } from '../policy/did-you-mean.ts'
import type { SourcePath } from '../policy/source.ts'
import type { CaseContext } from './context.ts'
import type { BodyInput, WrittenInput } from './schema.ts'

/** A body, byte by byte, as a client would send it or a server store it. */
export interface Written {
  readonly format: Format
  readonly bytes: Uint8Array
  /** What it is called: the name of a resource, the path of a file, or nothing. */
  readonly label: string | undefined
}

/** Gives the bytes of a file that a case file names, by its path relative to it; undefined when there is none. */
export type ReadBytes = (path: string) => Uint8Array | undefined

/** As much as the gateway reads of a body where gateway.yaml says nothing. */
export const bounds = { nesting: 64, elements: 50_000 }

/** Finds the bodies that the cases of one file name. */
export class Bodies {
  readonly #context: CaseContext
  readonly #resources: Readonly<Record<string, WrittenInput>>
  readonly #readBytes: ReadBytes

  constructor(context: CaseContext, resources: Readonly<Record<string, WrittenInput>>, readBytes: ReadBytes) {
    this.#context = context
    this.#resources = resources
    this.#readBytes = readBytes
  }

  /** The body at a path; undefined, and reported, when there is none. */
  written(input: BodyInput, at: SourcePath): Written | undefined {
    if (typeof input !== 'string') return this.#read(input, at, undefined)
    if (Object.hasOwn(this.#resources, input)) return this.#read(this.#resources[input]!, ['resources', input], input)
    const hint = didYouMean(input, Object.keys(this.#resources))
    this.#context.report(at, `There is no resource \`${input}\` under \`resources\`.${hint}`)
    return undefined
  }

  #read(input: WrittenInput, at: SourcePath, name: string | undefined): Written | undefined {
    if ('resourceType' in input) return written('json', writeJsonText(this.#context.source.json(at)), name)
    if ('json' in input) return written('json', input.json, name)
    if ('xml' in input) return written('xml', input.xml, name)
    const bytes = this.#readBytes(input.file)
    if (bytes) return { format: formatOf(bytes), bytes, label: name ?? input.file }
    this.#context.report([...at, 'file'], `There is no file \`${input.file}\`.`)
    return undefined
  }
}

function written(format: Format, text: string, label: string | undefined): Written {
  return { format, bytes: new TextEncoder().encode(text), label }
}

/** FHIR XML begins with `<`, FHIR JSON with anything else. */
function formatOf(bytes: Uint8Array): Format {
  const start = new TextDecoder().decode(bytes.subarray(0, 1000))
  return start.trimStart().startsWith('<') ? 'xml' : 'json'
}

export function parse({ bytes, format }: Written, definitions: Definitions): Parsed<Resource> {
  return readResource(bytes, format, definitions, bounds)
}

/** The same resource as a server gives it when it is asked for it in a format. */
export function inFormat(resource: Resource, format: Format, definitions: Definitions): Parsed<Resource> {
  return parse(written(format, format === 'json' ? writeJson(resource) : writeXml(resource), undefined), definitions)
}

/** The JSON document that a JSON Patch changes. */
export function documentOf(body: Written, definitions: Definitions): Parsed<Json> {
  if (body.format === 'json') {
    const text = decodeUtf8(body.bytes)
    return text.ok ? parseJsonText(text.value, 2 * bounds.nesting) : text
  }
  const resource = parse(body, definitions)
  return resource.ok ? parseJsonText(writeJson(resource.value), 2 * bounds.nesting) : resource
}

/** A JSON document as a body. */
export function bodyOf(document: Json, label: string | undefined): Written {
  return written('json', writeJsonText(document), label)
}
