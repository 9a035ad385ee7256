import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { plain } from '../../src/cli/colour.ts'
import { explainWrite, type ExplainOptions } from '../../src/cli/explain.ts'
import { outcome, resource, startStubUpstream, type StubUpstream } from './stub-upstream.ts'

let stub: StubUpstream
beforeAll(async () => {
  stub = await startStubUpstream()
})
afterAll(() => stub.close())
beforeEach(() => stub.answers({}))

const text = (name: string) => readFileSync(`config/sandbox/${name}`, 'utf8')
const removed = 'config/sandbox/try/flag-2-removed.json'

const explain = (options: Partial<ExplainOptions>) =>
  explainWrite({
    policyFile: undefined,
    configPath: 'config',
    before: undefined,
    after: undefined,
    interaction: undefined,
    operation: undefined,
    bases: [],
    headers: [],
    headerFile: undefined,
    json: false,
    colours: plain,
    stdin: () => Promise.resolve(Buffer.alloc(0)),
    ...options,
  })

describe('explain, with versions from a server', () => {
  it('reads the current version and an old one, with the credentials', async () => {
    stub.answers({
      'GET /fhir/Flag/2/_history/1': resource(text('flag-2.json')),
      'GET /fhir/Flag/2': resource(text('try/flag-2-removed.json')),
    })
    const before = `${stub.url.href}/Flag/2/_history/1`
    const done = await explain({ before, after: `${stub.url.href}/Flag/2`, headers: ['Authorization: Bearer t0ken'] })
    expect(done.text).toContain('Permitted as removal.')
    expect(stub.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer t0ken', 'Bearer t0ken'])
  })

  it('keeps the digits of numbers', async () => {
    const observation = (value: string) =>
      `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":${value}}}`
    stub.answers({
      'GET /fhir/Observation/o/_history/1': resource(observation('1.0')),
      'GET /fhir/Observation/o/_history/2': resource(observation('1.00')),
    })
    const { text: told } = await explain({
      policyFile: 'config/policies/general-r4.yaml',
      before: `${stub.url.href}/Observation/o/_history/1`,
      after: `${stub.url.href}/Observation/o/_history/2`,
    })
    expect(told).toContain('Observation.value.value  replaced  edit')
  })

  it('takes references under the base of the URL for the server’s own', async () => {
    const list = (deleted: boolean, status: string, more: object[] = []) => ({
      resourceType: 'List',
      id: 'l',
      contained: [
        {
          resourceType: 'Condition',
          id: 'c1',
          clinicalStatus: status,
          subject: { reference: 'Patient/1' },
          ...(more.length && { extension: more }),
        },
      ],
      status: 'current',
      mode: 'changes',
      entry: [{ deleted, item: { reference: `${stub.url.href}/Condition/c1` } }],
    })
    const extension = (JSON.parse(text('try/flag-2-removed.json')) as { extension: object[] }).extension[1]!
    stub.answers({
      'GET /fhir/List/l/_history/1': resource(list(false, 'active')),
      'GET /fhir/List/l': resource(list(true, 'inactive', [extension])),
    })
    const sides = { before: `${stub.url.href}/List/l/_history/1`, after: `${stub.url.href}/List/l` }
    expect((await explain(sides)).text).toContain('Permitted as remove-condition.')
  })

  it.each([
    [404, 'there is no such resource'],
    [405, 'name the server itself'],
    [410, 'it is gone'],
    [401, 'it wants credentials'],
    [403, 'may not read that'],
    [302, 'no redirect is followed'],
    [500, 'The FHIR server answered 500.'],
  ])('says what a %i means, and nothing of what the server said', async (status, sentence) => {
    stub.answers({ GET: outcome(status, 'unspeakable') })
    const done = await explain({ before: `${stub.url.href}/Flag/2`, after: removed, headers: ['X-Key: s3cret'] })
    expect(done.exitCode).toBe(1)
    expect(done.text).toContain(sentence)
    expect(done.text).not.toMatch(/unspeakable|s3cret|Flag\/2/)
  })

  it('says that what the server gave cannot be read', async () => {
    stub.answers({ GET: resource({ resourceType: 'Flag', id: '2', status: {} }) })
    const done = await explain({ before: `${stub.url.href}/Flag/2`, after: removed })
    expect(done).toMatchObject({ exitCode: 1, text: expect.stringContaining('could not read this stored resource') })
  })

  it('says that there is no server', async () => {
    const done = await explain({ before: 'http://127.0.0.1:1/fhir/Flag/2', after: removed })
    expect(done).toEqual({ exitCode: 1, text: '--before: The FHIR server cannot be reached.\n' })
  })
})
