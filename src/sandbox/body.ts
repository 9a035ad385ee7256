import type { Definitions } from '../fhir/definitions.ts'
import type { Resource } from '../fhir/element.ts'
import { type Format, formatOfAnswer, readMediaType } from '../fhir/media-type.ts'
import { readJson } from './lenient-json.ts'
import { readXmlAsPlain } from './lenient-xml.ts'
import { resourceOf } from './lenient.ts'
import type { SandboxRequest } from './message.ts'

export type Body = { readonly resource: Resource } | { readonly diagnostics: string }

/** The format that Content-Type names; undefined when it is missing or none of FHIR's. */
export function bodyFormat(request: SandboxRequest): Format | undefined {
  const type = request.field('content-type')
  // HAPI takes this one, too.
  return type !== undefined && readMediaType(type)?.name === 'text/json' ? 'json' : formatOfAnswer(type)
}

/** Reads the resource that a request holds, in the charset that it declares. */
export function readBody(request: SandboxRequest, definitions: Definitions): Body {
  const format = bodyFormat(request)
  if (!format) return { diagnostics: 'HAPI-0448: No FHIR Content-Type header was provided in the request' }
  const text = decodedText(request)
  if (text === undefined) return { diagnostics: 'The charset of Content-Type is not known' }
  const resource = resourceIn(text, format, definitions)
  return resource
    ? { resource }
    : { diagnostics: `HAPI-0450: Failed to parse request body as ${format.toUpperCase()} resource.` }
}

function decodedText(request: SandboxRequest): string | undefined {
  const type = readMediaType(request.field('content-type') ?? '')
  const charset = type?.parameters.find(([name]) => name === 'charset')?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset).decode(request.body)
  } catch {
    return undefined
  }
}

function resourceIn(text: string, format: Format, definitions: Definitions): Resource | undefined {
  try {
    return resourceOf(format === 'json' ? readJson(text) : readXmlAsPlain(text), definitions)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
