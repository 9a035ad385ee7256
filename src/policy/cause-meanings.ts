import type { Cause } from './refusal.ts'

/** When the gateway refuses for each cause, for editors, the reference, and a policy in words. */
export const causeMeanings: Readonly<Record<Cause, string>> = {
  'request-malformed': 'The request can be read in more than one way, or in none: its path, query or header fields.',
  'body-malformed': 'The body is not one well-formed FHIR resource.',
  'body-mismatch': 'The type or the id in the body is not the one in the URL.',
  'not-found': 'There is no such resource, or the URL lies outside of every base.',
  'interaction-not-offered': 'The policy has not opened this interaction; the Allow header field says what is open.',
  'request-timeout': 'The client did not send its request in time.',
  'version-mismatch': 'The version that If-Match names is not the current one.',
  gone: 'The resource was deleted.',
  'if-match-missing': 'If-Match is required, and is not there.',
  'if-match-malformed': 'If-Match is not one entity tag with a FHIR version.',
  'multiple-matches': 'The criteria of a conditional interaction match more than one resource.',
  'precondition-not-offered': 'A precondition that nobody would evaluate, such as If-Unmodified-Since.',
  'too-large': 'The body, or what it asks for, is larger than the bound.',
  'media-type':
    'The media type or the encoding of the body is not offered. A read that accepts none that is offered gets 406.',
  expectation: 'An Expect header field other than 100-continue.',
  'change-not-permitted': 'A rule of the policy refuses the change. Rules may have answers of their own.',
  'patch-not-applicable': 'The patch cannot be applied to the stored version.',
  'header-too-large': 'The header fields are larger than the bound.',
  fault: 'The gateway failed. Nothing was changed, unless the answer says that this is not known.',
  'upstream-unreachable': 'The FHIR server does not answer.',
  'upstream-unusable': 'The FHIR server’s answer cannot be used.',
  overloaded: 'The gateway has too much to do.',
  draining: 'The gateway is stopping.',
  'upstream-too-slow': 'The FHIR server does not answer in time.',
}
