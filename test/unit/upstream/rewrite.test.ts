import { describe, expect, test } from 'vitest'
import { baseUrls } from '../../../src/upstream/base-urls.ts'
import { rewriteJson as rewriteBytes } from '../../../src/upstream/rewrite-json.ts'
import { inAnswer, inTransactionAnswer } from '../../../src/upstream/rewrite-places.ts'
import { rewriteXml as rewriteText } from '../../../src/upstream/rewrite-xml.ts'

const urls = baseUrls('https://ours.example/STU3', new URL('http://hapi:8080/fhir'))

const rewriteJson = (text: string, places = inAnswer) => rewriteBytes(Buffer.from(text), urls, places).toString()
const rewriteXml = (text: string, places = inAnswer) => rewriteText(text, urls, places)

test.each([
  ['http://hapi:8080/fhir', 'https://ours.example/STU3'],
  ['http://hapi:8080/fhir/Flag/1', 'https://ours.example/STU3/Flag/1'],
  ['http://hapi:8080/fhir?_getpages=1', 'https://ours.example/STU3?_getpages=1'],
  ['http://hapi:8080/fhirx/Flag/1', 'http://hapi:8080/fhirx/Flag/1'],
  ['http://hapi:80801/fhir/Flag/1', 'http://hapi:80801/fhir/Flag/1'],
  ['https://elsewhere/?u=http://hapi:8080/fhir', 'https://elsewhere/?u=http://hapi:8080/fhir'],
  ['urn:uuid:1', 'urn:uuid:1'],
])('the URL %s becomes %s', (before, after) => {
  expect(urls.url(before)).toBe(after)
})

test.each([
  ['http://hapi:8080/fhir/Flag/1/_history/2', 'https://ours.example/STU3/Flag/1/_history/2'],
  ['/fhir/Flag/1', 'https://ours.example/STU3/Flag/1'],
  ['/elsewhere', undefined],
  ['//elsewhere/fhir/Flag/1', undefined],
  ['http://hapi:8080/admin', undefined],
  ['HTTP://HAPI:8080/admin', undefined],
  ['HTTP://HAPI:8080/fhir/Flag/1', 'https://ours.example/STU3/Flag/1'],
  ['http://hapi:8080', undefined],
  ['https://hapi:8443/fhir/Flag/1', undefined],
  ['http://hapi:8080/fhir/../admin', undefined],
  ['/fhir/../admin', undefined],
  ['/\\hapi/admin', undefined],
  ['http://[hapi', undefined],
  ['Flag/1/_history/2', 'Flag/1/_history/2'],
  ['https://ours.example/STU3/Flag/1', 'https://ours.example/STU3/Flag/1'],
  ['https://third.example/x', 'https://third.example/x'],
])('the Location %s becomes %s', (before, after) => {
  expect(urls.ownUrl(before)).toBe(after)
})

test('in a text every URL below the base is replaced, at the end of a segment only', () => {
  expect(urls.inText('See http://hapi:8080/fhir/Flag/1, http://hapi:8080/fhir. Not http://hapi:8080/fhir-x!')).toBe(
    'See https://ours.example/STU3/Flag/1, https://ours.example/STU3. Not http://hapi:8080/fhir-x!',
  )
})

describe('JSON', () => {
  test('the envelope of a Bundle is rewritten and its resources stay as they are, to the byte', () => {
    const flag = '{ "resourceType":"Flag","link":[{"url":"http://hapi:8080/fhir/a"}] , "n":1.00,"t":"\\u00e9\\/ \\"x"}'
    const bundle = (base: string) =>
      `{"link":[ {"relation":"self","url":"${base}/Flag?x=1"}],\r\n"total":1.0,"resourceType":"Bundle",` +
      `"entry":[{"fullUrl":"${base}/Flag/1","resource":${flag},"response":{"location":"${base}/Flag/1/_history/1"}},` +
      `{"resource":{"issue":[{"diagnostics":"at ${base}/Flag"}],"resourceType":"OperationOutcome"}}]}`
    expect(rewriteJson(bundle('http://hapi:8080/fhir'))).toBe(bundle('https://ours.example/STU3'))
  })

  test('escaped slashes do not hide a URL', () => {
    expect(rewriteJson('{"resourceType":"Bundle","link":[{"url":"http:\\/\\/hapi:8080\\/fhir\\/Flag"}]}')).toBe(
      '{"resourceType":"Bundle","link":[{"url":"https://ours.example/STU3/Flag"}]}',
    )
  })

  test('every URL of a CapabilityStatement is rewritten', () => {
    const statement = (base: string) =>
      `{"resourceType":"CapabilityStatement","url":"${base}/metadata","implementation":{"url":"${base}"},"x":"http://hl7.org"}`
    expect(rewriteJson(statement('http://hapi:8080/fhir'))).toBe(statement('https://ours.example/STU3'))
  })

  test.each(['', '{', '{"a":}', '[1,]', '{"a":1}x', '"', '{"a" 1}', 'nul', '[01]', '{a:1}', '['.repeat(300)])(
    '%j is not JSON',
    (text) => {
      expect(() => rewriteJson(text)).toThrow(SyntaxError)
    },
  )
})

describe('a Bundle and a CapabilityStatement in an entry', () => {
  const inner = (base: string) =>
    `{"resourceType":"Bundle","link":[{"url":"${base}/Flag"}],"entry":[{"fullUrl":"${base}/Flag/1",` +
    `"resource":{"resourceType":"Bundle","link":[{"url":"http://hapi:8080/fhir/Flag"}]}}]}`
  const statement = (base: string) => `{"resourceType":"CapabilityStatement","url":"${base}/metadata"}`
  const page = (base: string, ofEntries: string) =>
    `{"resourceType":"Bundle","entry":[{"fullUrl":"${base}/Bundle/1","resource":${inner(ofEntries)}},` +
    `{"resource":${statement(ofEntries)}},{"resource":{"url":"${ofEntries}/x","resourceType":"CapabilityStatement"}}]}`
  const xmlInner = (base: string) => `<Bundle><link><url value="${base}/Flag"/></link></Bundle>`
  const xmlPage = (base: string, ofEntries: string) =>
    `<Bundle><entry><fullUrl value="${base}/Bundle/1"/><resource>${xmlInner(ofEntries)}</resource></entry></Bundle>`
  const [theirs, ours] = ['http://hapi:8080/fhir', 'https://ours.example/STU3']

  test('of a page are content: clients send them back as they are stored', () => {
    expect(rewriteJson(page(theirs, theirs))).toBe(page(ours, theirs))
    expect(rewriteXml(xmlPage(theirs, theirs))).toBe(xmlPage(ours, theirs))
  })

  test('of the answer to a transaction are answers in their turn', () => {
    expect(rewriteJson(page(theirs, theirs), inTransactionAnswer)).toBe(page(ours, ours))
    expect(rewriteXml(xmlPage(theirs, theirs), inTransactionAnswer)).toBe(xmlPage(ours, ours))
  })
})

describe('XML', () => {
  test('the envelope of a Bundle is rewritten and its resources stay as they are, to the byte', () => {
    const flag =
      '<Flag xmlns="http://hl7.org/fhir"><link><url value="http://hapi:8080/fhir/a"/></link>\r\n<!-- c --> 😀</Flag>'
    const bundle = (base: string) =>
      `<?xml version="1.0"?>\r\n<Bundle xmlns="http://hl7.org/fhir"><link><url id=" value='x'" value='${base}/Flag?x=1'/></link>` +
      `<entry><fullUrl value="${base}/Flag/1"/><resource>${flag}</resource><response><location  value = "${base}/Flag/1"/></response></entry>` +
      `<entry><resource><OperationOutcome><text><div xmlns="http://www.w3.org/1999/xhtml"><a>${base}/Flag</a></div></text>` +
      `<issue><diagnostics value="at > ${base}/Flag"/></issue></OperationOutcome></resource></entry></Bundle>`
    expect(rewriteXml(bundle('http://hapi:8080/fhir'))).toBe(
      bundle('https://ours.example/STU3').replace('at > https', 'at &#62; https'),
    )
  })

  test('character references do not hide a URL, and stay in what is kept of it', () => {
    expect(rewriteXml('<Bundle><link><url value="http&#x3a;//hapi:8080/fhir/Flag?a=1&amp;b=2"/></link></Bundle>')).toBe(
      '<Bundle><link><url value="https://ours.example/STU3/Flag?a=1&#38;b=2"/></link></Bundle>',
    )
  })

  test.each(['', '<Bundle>', '<!DOCTYPE a><Bundle/>', '<Bundle/><x/>', '<Bundle a/>'])('%j is refused', (text) => {
    expect(() => rewriteXml(text)).toThrow(Error)
  })
})
