/** The FHIR versions whose definitions the gateway carries. https://hl7.org/fhir/directory.html */
export type FhirRelease = 'STU3' | 'R4' | 'R5'

/** `3.0.2` → STU3. Undefined for a version that is not carried. The patch number does not count. */
export function releaseOf(version: string): FhirRelease | undefined {
  if (/^3\.0(\.\d+)?$/.test(version)) return 'STU3'
  if (/^4\.0(\.\d+)?$/.test(version)) return 'R4'
  if (/^5\.0(\.\d+)?$/.test(version)) return 'R5'
  return undefined
}
