import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { faultsOfTarget, isUnder, readQuery, readTarget } from '../../../src/fhir/target.ts'

const read = (method: string, below: string) => readTarget(method, `/STU3${below}`, '/STU3', '_getpages')

describe('a canonical target is an interaction', () => {
  test.each([
    ['GET', '/Flag/1', { code: 'read', type: 'Flag', id: '1', path: '/Flag/1' }],
    ['HEAD', '/Flag/1', { code: 'read', method: 'HEAD', id: '1' }],
    ['GET', '/Flag/9692247317.b1fe6cc0-7bf5', { code: 'read', id: '9692247317.b1fe6cc0-7bf5' }],
    ['GET', '/Flag/1/_history/2', { code: 'vread', type: 'Flag', id: '1', version: '2' }],
    ['GET', '/Flag/1/_history', { code: 'history-instance', id: '1' }],
    ['GET', '/Flag/_history', { code: 'history-type', type: 'Flag' }],
    ['GET', '/_history', { code: 'history-system' }],
    ['GET', '/Flag?patient=1&status=active', { code: 'search-type', query: 'patient=1&status=active', path: '/Flag' }],
    ['POST', '/Flag/_search', { code: 'search-type', method: 'POST', path: '/Flag/_search' }],
    ['POST', '/_search', { code: 'search-system', method: 'POST' }],
    ['POST', '/Flag', { code: 'create', type: 'Flag' }],
    ['PUT', '/Flag/1', { code: 'update', type: 'Flag', id: '1', query: '' }],
    ['PUT', '/Flag/1?_format=xml&_pretty=true', { code: 'update', query: '_format=xml&_pretty=true' }],
    ['PATCH', '/Flag/1', { code: 'patch', id: '1' }],
    ['DELETE', '/Flag/1', { code: 'delete', id: '1' }],
    ['PUT', '/Flag?_id=1', { code: 'update', conditional: true }],
    ['PUT', '/Flag', { code: 'update', conditional: true }],
    ['DELETE', '/Flag?_id=1', { code: 'delete', conditional: true }],
    ['PATCH', '/Flag?_id=1', { code: 'patch', conditional: true }],
    ['POST', '', { code: 'transaction', path: '' }],
    ['GET', '', { code: 'search-system' }],
    ['GET', '?_getpages=abc&_getpagesoffset=20&_count=20&_bundletype=searchset', { code: 'paging', path: '' }],
    ['GET', '?_getpages=abc&_type=Patient', { code: 'search-system' }],
    ['GET', '?_getpages=abc&_getpages=d', { code: 'search-system' }],
    ['POST', '/', { code: 'transaction', path: '' }],
    [
      'GET',
      '/?_getpages=abc&_getpagesoffset=20',
      { code: 'paging', path: '', query: '_getpages=abc&_getpagesoffset=20' },
    ],
    ['GET', '/?_type=/STU3/?', { code: 'search-system', path: '', query: '_type=/STU3/?' }],
    ['POST', '/Flag?_format=json', { code: 'create', type: 'Flag' }],
    ['GET', '/metadata', { code: 'capabilities', path: '/metadata' }],
    ['POST', '/$removerarecord', { code: 'operation', operation: 'removerarecord' }],
    ['POST', '/Flag/$validate', { code: 'operation', operation: 'validate', type: 'Flag' }],
    ['POST', '/Flag/1/$meta-add', { code: 'operation', operation: 'meta-add', id: '1' }],
  ])('%s [base]%s', (method, below, expected) => {
    expect(read(method, below)).toMatchObject({ kind: 'interaction', interaction: expected })
  })
})

describe('a target that could be read in two ways is malformed', () => {
  test.each([
    '//Flag/1',
    '/Flag//1',
    '/Flag/1/',
    '/?_getpages=abc#top',
    '/Flag/1/../2',
    '/Flag/./1',
    '/Flag/..',
    '/%46lag/1',
    '/Flag/%31',
    '/Flag/1%2F_history',
    '/Flag\\1',
    '/..\\Flag/1',
    '/Flag;v=1/1',
    '/Flag/1#top',
    '/Flag/1?a=b#c',
    '/Flag/1?a=\u00e9',
    '/Flag/1?a=b c',
    '/Flag/1\u0000',
    '/Flag/a_b',
    `/Flag/${'a'.repeat(65)}`,
    '/Flag/1/_history/a_b',
  ])('[base]%s', (below) => {
    for (const method of ['GET', 'PUT', 'DELETE', 'POST']) expect(read(method, below).kind).toBe('malformed')
  })

  test.each(['http://elsewhere/STU3/Flag/1', '*', 'STU3/Flag/1', ''])(
    'the target %j is not in origin-form',
    (target) => {
      expect(readTarget('PUT', target, '/STU3').kind).toBe('malformed')
    },
  )

  test('all faults are told at once', () => {
    const target = read('PUT', '//Flag/%31/')
    expect(target.kind === 'malformed' && target.faults).toHaveLength(3)
  })
})

describe('a query that could change the meaning is malformed', () => {
  test.each([
    ['PUT', '/Flag/1?_id=2'],
    ['PUT', '/Flag/1?_format=json&x=1'],
    ['PUT', '/Flag/1?=1'],
    ['POST', '/Flag?identifier=1'],
    ['GET', '/Flag?_method=DELETE'],
    ['GET', '/Flag?%5Fmethod=DELETE'],
    ['GET', '/Flag?_format=json&_format=xml'],
    ['GET', '/Flag?name=%zz'],
    ['GET', '/Flag?name=%e9'],
  ])('%s [base]%s', (method, below) => {
    expect(read(method, below).kind).toBe('malformed')
  })
})

describe('what FHIR does not know there is not offered', () => {
  test.each([
    ['PUT', '/Flag/1/xyz'],
    ['PUT', '/Flag/1/_history/1'],
    ['DELETE', '/Flag/1/_history/1'],
    ['GET', '/Patient/1/Flag'],
    ['GET', '/Flag/1/_history/1/2'],
    ['GET', '/Flag/_search'],
    ['GET', '/flag/1'],
    ['POST', '/Flag/1'],
    ['POST', '/metadata'],
    ['PUT', '/metadata'],
    ['OPTIONS', '/Flag/1'],
    ['TRACE', '/Flag/1'],
    ['LINK', '/Flag/1'],
    ['put', '/Flag/1'],
    ['GET', '/.well-known'],
    ['GET', '/Flag/_security'],
  ])('%s [base]%s', (method, below) => {
    expect(read(method, below).kind).toBe('not-offered')
  })

  test('it names what another method does there', () => {
    expect(read('OPTIONS', '/Flag/1')).toMatchObject({ known: { code: 'read', type: 'Flag', id: '1' } })
    expect(read('GET', '/a/b/c')).toEqual({ kind: 'not-offered', known: undefined })
  })
})

test('a path is under a base at the end of a segment only', () => {
  expect(['/STU3', '/STU3/Flag', '/STU3?x', '/STU3x', '/stu3', '/'].map((target) => isUnder('/STU3', target))).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})

test('without a paging parameter there is no paging', () => {
  expect(readTarget('GET', '/STU3?_getpages=1', '/STU3')).toMatchObject({ interaction: { code: 'search-system' } })
})

test('a query is read as a form is', () => {
  expect(readQuery('a=b+c&d=%3D&e&&f=1=2')).toEqual([
    ['a', 'b c'],
    ['d', '='],
    ['e', ''],
    ['f', '1=2'],
  ])
})

test('a target is without a fault exactly when it is written in its one way', () => {
  const isCanonical = (target: string) => {
    const [path] = target.split('?')
    const segments = path!.split('/').slice(1)
    return (
      [...target].every((character) => character > ' ' && character <= '~' && character !== '#') &&
      path!.startsWith('/') &&
      !/[%;\\]/.test(path!) &&
      (path === '/' || segments.every((segment) => !['', '.', '..'].includes(segment)))
    )
  }
  const pieces = [
    '/',
    '/',
    '/Flag',
    '/1',
    '/.',
    '/..',
    '/...',
    '/.a',
    '.',
    '$',
    '-',
    '_',
    '%',
    ';',
    '\\',
    '#',
    '?',
    '=',
  ]
  const piece = fc.constantFrom(...pieces, 'a', ' ', '\t', '\u007f', 'é', '"', '|', '~', '@')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 7 }), (parts) => {
      const target = parts.join('')
      expect(faultsOfTarget(target).length === 0).toBe(isCanonical(target))
    }),
    { numRuns: 3000 },
  )
})
