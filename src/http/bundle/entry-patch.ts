import { textOf, type Resource } from '../../fhir/element.ts'
import type { Format } from '../../fhir/media-type.ts'
import type { PatchBounds } from '../../fhir/patch/patched.ts'
import { decodeUtf8 } from '../../fhir/unicode.ts'
import type { Policy } from '../../policy/policy.ts'
import { acceptedPatchTypes, patchOfParameters, patchOfText, textFormOf, type PatchContent } from '../patch-content.ts'
import type { Refuse } from './entry-parts.ts'

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * The patch of an entry: Parameters for FHIRPath Patch, a Binary for JSON Patch and XML Patch.
 * https://hl7.org/fhir/R4/http.html#patch
 */
export function readEntryPatch(
  resource: Resource | undefined,
  { policy, bounds, format }: { readonly policy: Policy; readonly bounds: PatchBounds; readonly format: Format },
  refuse: Refuse,
): PatchContent | undefined {
  const { definitions, release } = policy
  if (resource?.type === 'Parameters' && release !== 'STU3') {
    return patchOfParameters(resource, format, definitions, bounds)
  }
  if (resource?.type !== 'Binary') {
    refuse(
      'body-mismatch',
      'The resource of a PATCH entry is a Binary that holds the patch, or its Parameters.',
      'resource',
    )
    return undefined
  }
  const form = textFormOf(textOf(resource, 'contentType'))
  if (!form) {
    const offered = acceptedPatchTypes('STU3')
    refuse('media-type', `The contentType of a patch is one of: ${offered}.`, 'resource.contentType')
    return undefined
  }
  // STU3 calls it content, R4 data.
  const data = textOf(resource, 'data') ?? textOf(resource, 'content') ?? ''
  const text = base64.test(data) ? decodeUtf8(Buffer.from(data, 'base64')) : undefined
  if (!text?.ok) {
    refuse('body-malformed', 'The patch is not UTF-8 in base64.', 'resource')
    return undefined
  }
  return patchOfText(form, text.value, definitions, bounds)
}
