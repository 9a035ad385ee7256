import { describe, expect, test } from 'vitest'
import { baseUrls } from '../../../src/upstream/base-urls.ts'
import { answerFields, callerFields, readFields } from '../../../src/upstream/header-fields.ts'

describe('what a caller sends', () => {
  test('only what is known, and what is configured, goes upstream', () => {
    expect(
      callerFields(
        { authorization: 'a', cookie: 'c', 'x-role': 'r', 'if-match': 'W/"1"', forwarded: 'f', via: '1.1 a' },
        ['X-Role', 'If-Match', 'Connection'],
      ),
    ).toEqual({ authorization: 'a', 'x-role': 'r', via: '1.1 a, 1.1 fhir-policy-gateway' })
  })

  test.each([
    [undefined, true, 'identity'],
    ['gzip', true, 'gzip'],
    ['br, gzip;q=0.5', true, 'gzip'],
    ['*', true, 'gzip'],
    ['gzip;q=0', true, 'identity'],
    ['gzip;q=0.000', true, 'identity'],
    ['br', true, 'identity'],
    ['gzip', false, 'identity'],
  ])('Accept-Encoding %s, where encoding is allowed: %s, becomes %s', (accepted, encoded, expected) => {
    const client = accepted === undefined ? {} : { 'accept-encoding': accepted }
    expect(readFields(client, {}, 'json', encoded)['accept-encoding']).toBe(expected)
  })

  test.each([
    ['handling=strict', 'handling=strict'],
    ['respond-async; handling=lenient', 'handling=lenient'],
    ['respond-async', undefined],
    ['return=minimal', undefined],
  ])('Prefer: %s becomes %s', (prefer, expected) => {
    expect(readFields({ prefer }, {}, 'json', false)['prefer']).toBe(expected)
  })
})

test('what names the upstream does not come back', () => {
  const urls = baseUrls('https://ours.example/STU3', new URL('http://hapi:8080/fhir'))
  expect(
    answerFields(
      {
        etag: 'W/"1"',
        server: 's',
        'x-powered-by': 'p',
        'set-cookie': ['a'],
        location: 'http://hapi:8080/admin',
        link: '<http://hapi:8080/fhir/Flag>; rel=next',
      },
      urls,
    ),
  ).toEqual({ etag: 'W/"1"', link: '<https://ours.example/STU3/Flag>; rel=next' })
})

test.each([
  ['Bearer realm="http://hapi:8080/fhir"', 'Bearer realm="https://ours.example/STU3"'],
  ['Bearer realm="http://HAPI:8080/auth", error="invalid_token"', 'Bearer realm="", error="invalid_token"'],
  ['Bearer authorization_uri=http://hapi:8080/auth', 'Bearer'],
  ['Basic realm="fhir"', 'Basic realm="fhir"'],
  [
    'Bearer realm="fhir", authorization_uri="https://login.example/auth"',
    'Bearer realm="fhir", authorization_uri="https://login.example/auth"',
  ],
])('a challenge %s is told as %s', (value, expected) => {
  const urls = baseUrls('https://ours.example/STU3', new URL('http://hapi:8080/fhir'))
  expect(answerFields({ 'www-authenticate': value }, urls)).toEqual({ 'www-authenticate': expected })
})
