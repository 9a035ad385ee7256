import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { childrenOf } from '../../../../src/fhir/element.ts'
import { parseJson } from '../../../../src/fhir/json.ts'
import { readEntry, type Entry } from '../../../../src/http/bundle/entry.ts'
import type { GovernedBase } from '../../../../src/http/exchange.ts'
import { compilePolicy } from '../../../../src/policy/compile.ts'

const file = new URL('../../../../config/policies/general-r4.yaml', import.meta.url)
const compiled = compilePolicy('general-r4.yaml', readFileSync(file, 'utf8'))
if (!compiled.ok) throw new Error('The policy does not compile.')
const { policy } = compiled

/** Of a base an entry is read with its policy and its upstream's profile, and with nothing else. */
function baseWith(pinnedDelete?: 'history-version'): GovernedBase {
  return { policy, upstream: { profile: pinnedDelete ? { pinnedDelete } : {} } } as unknown as GovernedBase
}

function read(entry: object, base = baseWith('history-version')): Entry {
  const bundle = parseJson(
    JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry: [entry] }),
    policy.definitions,
  )
  if (!bundle.ok) throw new Error(JSON.stringify(bundle.faults))
  const element = childrenOf(bundle.value, 'entry')[0]!
  return readEntry(
    { base, knownBases: ['https://own.example/R4'], format: 'json', bounds: { nesting: 50, characters: 1000 } },
    element,
    3,
  )
}

const resource = { resourceType: 'Observation', id: 'o1', status: 'final' }
const ifMatch = 'W/"2"'
const causes = (entry: Entry) =>
  entry.kind === 'refused' ? entry.refusals.map(({ cause, expression }) => `${cause} ${expression}`) : []

describe('an entry that writes', () => {
  test.each<[what: string, entry: object, asked: object]>([
    [
      'an update',
      { resource, request: { method: 'PUT', url: 'Observation/o1', ifMatch } },
      { interaction: 'update', type: 'Observation', id: 'o1', version: '2', criteria: undefined },
    ],
    [
      'an update under our own base',
      { resource, request: { method: 'PUT', url: 'https://own.example/R4/Observation/o1', ifMatch } },
      { interaction: 'update', id: 'o1' },
    ],
    [
      'a conditional update',
      { resource, request: { method: 'PUT', url: 'Observation?identifier=a|b&_format=json', ifMatch } },
      { interaction: 'update', id: undefined, version: '2', criteria: 'identifier=a%7Cb' },
    ],
    [
      'a create',
      { resource, request: { method: 'POST', url: 'Observation' } },
      { interaction: 'create', id: undefined, version: undefined, criteria: undefined },
    ],
    [
      'a conditional create whose condition is a whole URL',
      { resource, request: { method: 'POST', url: 'Observation', ifNoneExist: 'Observation?identifier=a|b' } },
      { interaction: 'create', criteria: 'identifier=a%7Cb' },
    ],
    [
      'a delete',
      { request: { method: 'DELETE', url: 'Observation/o1', ifMatch } },
      { interaction: 'delete', id: 'o1', version: '2', content: { kind: 'nothing' } },
    ],
    [
      'a conditional delete',
      { request: { method: 'DELETE', url: 'Observation?identifier=a', ifMatch } },
      { interaction: 'delete', id: undefined, criteria: 'identifier=a' },
    ],
  ])('%s is what the same request alone would be', (_what, entry, asked) => {
    expect(read(entry)).toMatchObject({ kind: 'write', asked })
  })

  test('tells everything that is wrong with it at once', () => {
    const entry = {
      resource: { ...resource, id: 'o2' },
      request: { method: 'PUT', url: 'Observation/o1', ifNoneMatch: '*', ifModifiedSince: '2026-01-01T00:00:00Z' },
      response: { status: '200' },
    }
    expect(causes(read(entry))).toEqual([
      'body-malformed Bundle.entry[3].response',
      'if-match-missing Bundle.entry[3].request.ifMatch',
      'precondition-not-offered Bundle.entry[3].request',
      'precondition-not-offered Bundle.entry[3].request',
      'body-mismatch Bundle.entry[3].resource.id',
    ])
  })

  test('is refused as a delete where the upstream cannot pin one', () => {
    const entry = { request: { method: 'DELETE', url: 'Observation/o1', ifMatch } }
    expect(causes(read(entry, baseWith()))).toEqual(['interaction-not-offered Bundle.entry[3].request.url'])
  })

  test('is refused when its url has an extension, which could say something else', () => {
    const _url = { extension: [{ url: 'https://a.example', valueString: 'Flag/f1' }] }
    const entry = { resource, request: { method: 'PUT', url: 'Observation/o1', _url, ifMatch } }
    expect(causes(read(entry))).toContain('body-malformed Bundle.entry[3].request.url')
  })
})

describe('an entry that reads', () => {
  test.each<[url: string, path: string, query: string]>([
    ['Observation/o1', '/Observation/o1', ''],
    ['Observation/o1/_history/2', '/Observation/o1/_history/2', ''],
    ['Observation/o1/_history', '/Observation/o1/_history', ''],
    ['Observation?code=a|b+c&_pretty=true', '/Observation', 'code=a%7Cb%20c'],
    ['https://own.example/R4/Flag?_id=f1', '/Flag', '_id=f1'],
    ['metadata', '/metadata', ''],
    ['_history', '/_history', ''],
  ])('%s is written anew', (url, path, query) => {
    expect(read({ request: { method: 'GET', url } })).toMatchObject({ kind: 'read', interaction: { path, query } })
  })

  test.each([
    'Patient/p1',
    'https://own.example/R4x/Flag/f1',
    'https://own.example/R4',
    '//own.example/R4/Flag/f1',
    'urn:uuid:00000000-0000-4000-8000-000000000001',
    'Flag/f1/',
    'Flag//f1',
    'Flag/f1;x',
    'Flag\\f1',
    'Flag/é',
    'Flag?a=%zz',
    'Flag?_method=DELETE',
    'Flag/$everything',
    '$graphql',
    '_search?x=1',
    '?_id=1',
  ])('is refused with the url %s', (url) => {
    expect(causes(read({ request: { method: 'GET', url } }))).toEqual([
      expect.stringMatching(/^(?:request-malformed|interaction-not-offered) Bundle\.entry\[3\]\.request\.url$/),
    ])
  })

  test.each(['*', '"1", "2"', '1', ''])('is refused with ifNoneMatch %j', (ifNoneMatch) => {
    const entry = { request: { method: 'GET', url: 'Flag/f1', ifNoneMatch: ifNoneMatch || ' ' } }
    expect(causes(read(entry))).toEqual(['request-malformed Bundle.entry[3].request.ifNoneMatch'])
  })
})
