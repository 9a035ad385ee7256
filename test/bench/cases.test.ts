import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { definitionsOf } from '../../src/fhir/definitions.ts'
import { readResource } from '../../src/fhir/body.ts'
import type { Format } from '../../src/fhir/media-type.ts'
import { withoutServerOwned, type Resource } from '../../src/fhir/element.ts'
import { judge } from '../../src/policy/judge.ts'
import { nhsPolicy } from '../gateway/booted.ts'
import { cases } from './cases.ts'
import { editedFlag, flag, inXml, listOf, listWithout, removedFlag } from './records.ts'
import { nodeOptionsOfTheImage } from './servers.ts'

function read(text: string, format: Format): Resource {
  const parsed = readResource(Buffer.from(text), format, definitionsOf('STU3'), { nesting: 64 })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return withoutServerOwned(parsed.value)
}

function decide(type: string, before: string, after: string, format: Format = 'json') {
  const write = { interaction: 'update', type, before: read(before, format), after: read(after, format) } as const
  const request = { interaction: 'update', scopes: [], headerFields: {} } as const
  return judge(nhsPolicy(), write, { bases: [], maxRefusals: 50, request })
}

it('measures the program as the image starts it', () => {
  const [, entryPoint = ''] = /^ENTRYPOINT (.+)$/m.exec(readFileSync('Dockerfile', 'utf8')) ?? []
  expect(JSON.parse(entryPoint)).toEqual(['node', ...nodeOptionsOfTheImage, 'dist/main.js'])
})

describe('the records of the benchmark', () => {
  const stored = JSON.stringify(flag)

  it.each([
    ['a Flag', decide('Flag', stored, JSON.stringify(removedFlag)), 'removal'],
    ['a Flag in XML', decide('Flag', inXml(flag), inXml(removedFlag), 'xml'), 'removal'],
    [
      'one of 50 Conditions',
      decide('List', JSON.stringify(listOf(50)), JSON.stringify(listWithout(50))),
      'remove-condition',
    ],
  ])('are permitted: %s', (_what, decision, permittedAs) => {
    expect(decision).toMatchObject({ verdict: 'permit', permittedAs: [permittedAs] })
  })

  it('are refused for five reasons', () => {
    const decision = decide('Flag', stored, JSON.stringify(editedFlag))
    expect(decision.verdict === 'deny' && decision.refusals.length).toBe(5)
  })

  it('are of ASCII, whose characters are its bytes', () => {
    const bodies = cases.flatMap(({ load }) => load.requests.map(({ body = '' }) => body))
    expect(bodies.filter((body) => Buffer.byteLength(body) !== body.length)).toEqual([])
  })
})
