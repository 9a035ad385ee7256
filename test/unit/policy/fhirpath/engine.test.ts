import { createRequire } from 'node:module'
import { expect, it } from 'vitest'
import { compilePolicy } from '../../../../src/policy/compile.ts'

const load = createRequire(import.meta.url)
const isLoaded = (name: string) => load.cache[load.resolve(name)] !== undefined

it('the packages that evaluate expressions are loaded by the first policy that has one', () => {
  const policy = (invariants: string) => `policy: p
fhir: 4.0.1
resources:
  Flag:
    interactions: [create]
    create: { rest: { permit-as: new }${invariants} }
`
  expect(compilePolicy('p.yaml', policy('')).ok).toBe(true)
  expect(isLoaded('fhirpath')).toBe(false)
  expect(compilePolicy('p.yaml', policy(", invariants: [{ rule: it, require: 'id.exists()' }]")).ok).toBe(true)
  expect(isLoaded('fhirpath')).toBe(true)
  expect(isLoaded('re2js')).toBe(false)
  expect(compilePolicy('p.yaml', policy(`, invariants: [{ rule: it, require: "id.matches('a')" }]`)).ok).toBe(true)
  expect(isLoaded('re2js')).toBe(true)
})
