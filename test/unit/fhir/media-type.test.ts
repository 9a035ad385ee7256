import { describe, expect, test } from 'vitest'
import { askedFormat, formatOfAnswer, formatOfBody, readMediaType } from '../../../src/fhir/media-type.ts'

describe('the format of a body', () => {
  test.each([
    ['application/fhir+json', 'json'],
    ['application/json+fhir', 'json'],
    ['application/json', 'json'],
    ['Application/FHIR+JSON; Charset=UTF-8', 'json'],
    ['application/fhir+xml;charset="utf-8"', 'xml'],
    ['application/xml+fhir', 'xml'],
    ['application/xml', 'xml'],
    ['text/xml', 'xml'],
    ['application/fhir+json; fhirVersion=3.0', 'json'],
  ])('%s is taken', (contentType, format) => {
    expect(formatOfBody(contentType, 'STU3')).toEqual({ format })
  })

  test.each([
    [undefined],
    [''],
    ['text/html'],
    ['text/turtle'],
    ['application/json-patch+json'],
    ['application/fhir+json;charset=iso-8859-1'],
    ['application/fhir+json;charset=utf-8;charset=utf-16'],
    ['application/fhir+json; fhirVersion=4.0'],
    ['application/fhir+json, application/fhir+xml'],
    ['application/fhir+json charset=utf-8'],
    ['application/fhir+json;charset'],
    ['application/fhir+json\u00a0'],
    ['application/fhir+json\u00a0;charset=utf-8'],
    ['multipart/form-data; boundary=x'],
  ])('%s is not taken', (contentType) => {
    expect(formatOfBody(contentType, 'STU3')).toHaveProperty('sentence')
  })
})

describe('the format that is asked for', () => {
  test.each([
    [undefined, undefined, 'any'],
    [undefined, '*/*', 'any'],
    [undefined, 'application/*;q=0.1', 'any'],
    [undefined, 'application/fhir+xml', 'xml'],
    [undefined, 'application/json+fhir', 'json'],
    [undefined, 'application/fhir+xml;q=0.5, application/fhir+json', 'json'],
    [undefined, 'application/fhir+xml;q=1.0, application/fhir+json;q=1.0, application/xml+fhir;q=0.9', 'xml'],
    [undefined, 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'xml'],
    [undefined, 'text/html', 'none'],
    [undefined, 'application/fhir+json;q=0', 'none'],
    [undefined, 'application/fhir+json;q=high', 'none'],
    ['json', 'application/fhir+xml', 'json'],
    ['xml', 'application/fhir+json', 'xml'],
    ['application/fhir+xml', undefined, 'xml'],
    ['application/fhir xml', undefined, 'xml'],
    ['text/xml', undefined, 'xml'],
    ['', 'application/fhir+xml', 'xml'],
    ['html/json', 'application/fhir+json', 'none'],
    ['ttl', undefined, 'none'],
  ])('_format %s and Accept %s', (parameter, accept, asked) => {
    expect(askedFormat(parameter, accept)).toBe(asked)
  })
})

test('an answer of another media type has no format', () => {
  expect(['application/fhir+json;charset=UTF-8', 'text/html', undefined].map(formatOfAnswer)).toEqual([
    'json',
    undefined,
    undefined,
  ])
})

test('a quoted parameter is unescaped', () => {
  expect(readMediaType('a/b; c="d\\"e"')).toEqual({ name: 'a/b', parameters: [['c', 'd"e']] })
})
