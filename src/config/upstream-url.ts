/** What a FHIR base URL must look like, for messages. */
export const fhirBaseUrlExpected =
  'an http or https URL without user, query or fragment, such as `http://localhost:8081/fhir`'

/** The same in short, for editors. */
export const fhirBaseUrlPattern = /^[Hh][Tt][Tt][Pp][Ss]?:\/\/[^?#@/\s\\]+(\/[^?#\s\\]*)?$/

/** A FHIR base URL without its trailing slash; undefined for a text that is none. */
export function parseFhirBaseUrl(text: string): URL | undefined {
  if (!URL.canParse(text) || !/^https?:\/\//i.test(text) || /[?#\s\\]/.test(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') return undefined
  url.pathname = url.pathname.replace(/\/+$/, '')
  return url
}
