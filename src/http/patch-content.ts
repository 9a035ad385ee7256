import type { Definitions } from '../fhir/definitions.ts'
import type { Resource } from '../fhir/element.ts'
import { readMediaType, type Format } from '../fhir/media-type.ts'
import { applyFhirPathPatch } from '../fhir/patch/fhirpath-patch.ts'
import { applyJsonPatch } from '../fhir/patch/json-patch.ts'
import type { Patched, PatchBounds } from '../fhir/patch/patched.ts'
import { applyXmlPatch } from '../fhir/patch/xml-patch.ts'
import type { FhirRelease } from '../fhir/version.ts'

/** A patch as something to be applied, and the format of the resource that it speaks of. */
export interface PatchContent {
  readonly content: { readonly kind: 'patch'; readonly apply: (stored: Resource) => Patched }
  readonly format: Format
}

const textForms = {
  'application/json-patch+json': { format: 'json', apply: applyJsonPatch },
  'application/xml-patch+xml': { format: 'xml', apply: applyXmlPatch },
} as const

/** The media types of patches that are read. FHIRPath Patch came with R4. */
export function patchTypes(release: FhirRelease): readonly string[] {
  const fhirPath = release === 'STU3' ? [] : ['application/fhir+json', 'application/fhir+xml']
  return [...Object.keys(textForms), ...fhirPath]
}

/** What a 415 to a PATCH lists under Accept-Patch (RFC 5789, section 3.1). */
export const acceptedPatchTypes = (release: FhirRelease) => patchTypes(release).join(', ')

/** The form of a patch that is a text of its own, by its media type; undefined when it is none of them. */
export function textFormOf(contentType: string | undefined): keyof typeof textForms | undefined {
  const type = contentType === undefined ? undefined : readMediaType(contentType)
  const isUtf8 = type?.parameters.every(([name, value]) => name !== 'charset' || value.toLowerCase() === 'utf-8')
  return type && isUtf8 && type.name in textForms ? (type.name as keyof typeof textForms) : undefined
}

export function patchOfText(
  form: keyof typeof textForms,
  text: string,
  definitions: Definitions,
  bounds: PatchBounds,
): PatchContent {
  const { format, apply } = textForms[form]
  return { format, content: { kind: 'patch', apply: (stored) => apply(stored, text, definitions, bounds) } }
}

/** A FHIRPath Patch: https://hl7.org/fhir/R4/fhirpatch.html */
export function patchOfParameters(
  parameters: Resource,
  format: Format,
  definitions: Definitions,
  bounds: PatchBounds,
): PatchContent {
  return {
    format,
    content: { kind: 'patch', apply: (stored) => applyFhirPathPatch(stored, parameters, definitions, bounds) },
  }
}
