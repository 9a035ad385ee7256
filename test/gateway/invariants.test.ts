import { expect, onTestFinished, test } from 'vitest'
import { compilePolicy } from '../../src/policy/compile.ts'
import { boot } from './booted.ts'

const compiled = compilePolicy(
  'p.yaml',
  `policy: p
fhir: 4.0.1
system: { interactions: [batch, transaction] }
resources:
  Flag:
    interactions: [update, patch, create]
    update: &rules
      if-match: required
      rest: { permit-as: edit }
      invariants:
        - rule: only a clerk changes a flag
          require: "%\`header-x-role\` = 'clerk'"
          otherwise: { status: 403, issue: forbidden }
        - rule: an inactive flag has an end
          when: "%after.status = 'inactive'"
          require: "%after.period.end.exists()"
          at: period.end
        - rule: a patch keeps the status
          when: "%interaction = 'patch'"
          require: "%before.status = %after.status"
    create:
      rest: { permit-as: new }
      invariants:
        - rule: only a clerk makes a flag
          require: "%\`header-x-role\` = 'clerk' and %interaction = 'create'"
`,
)
if (!compiled.ok) throw new Error(JSON.stringify(compiled.diagnostics))
const { policy } = compiled

async function start() {
  const booted = await boot({ path: '/R4', policy, ruleHeaderFields: ['x-role'] })
  onTestFinished(() => booted.close())
  const stored = '{"resourceType":"Flag","id":"1","meta":{"versionId":"3"},"status":"active"}'
  booted.upstream.answers({
    GET: (res) => res.writeHead(200, { 'content-type': 'application/fhir+json', etag: 'W/"3"' }).end(stored),
    PUT: (res) => res.writeHead(200, { 'content-type': 'application/fhir+json' }).end(stored),
    POST: (res) =>
      res.writeHead(201, { 'content-type': 'application/fhir+json', location: '/Flag/2/_history/1' }).end(stored),
  })
  return booted
}

const json = { 'content-type': 'application/fhir+json', 'if-match': 'W/"3"' }
const clerk = { 'x-role': 'clerk' }
const inactive = '{"resourceType":"Flag","id":"1","status":"inactive"}'
const ended = '{"resourceType":"Flag","id":"1","status":"inactive","period":{"end":"2026-01-31"}}'

test('an update that keeps every invariant goes upstream', async () => {
  const booted = await start()
  const answer = await booted.send('PUT', '/R4/Flag/1', { ...json, ...clerk }, ended)
  expect(answer.status).toBe(200)
  expect(booted.records[0]).toMatchObject({ permittedAs: ['edit'] })
})

test('one that breaks two is refused with both, and nothing is sent', async () => {
  const booted = await start()
  const answer = await booted.send('PUT', '/R4/Flag/1', json, inactive)
  expect(JSON.parse(answer.body)).toMatchObject({
    issue: [
      { code: 'forbidden', expression: ['Flag'], details: { text: 'Only a clerk changes a flag.' } },
      { code: 'business-rule', expression: ['Flag.period.end'], details: { text: 'An inactive flag has an end.' } },
    ],
  })
  expect(booted.upstream.seen.map(({ method }) => method)).toEqual(['GET'])
})

test('the same body in FHIR XML comes to the same', async () => {
  const booted = await start()
  const xml = (inner: string) =>
    `<Flag xmlns="http://hl7.org/fhir"><id value="1"/><status value="inactive"/>${inner}</Flag>`
  const headers = { ...json, ...clerk, 'content-type': 'application/fhir+xml', accept: 'application/fhir+json' }
  booted.upstream.answers({
    GET: (res) =>
      res
        .writeHead(200, { 'content-type': 'application/fhir+xml', etag: 'W/"3"' })
        .end('<Flag xmlns="http://hl7.org/fhir"><id value="1"/><status value="active"/></Flag>'),
  })
  const answer = await booted.send('PUT', '/R4/Flag/1', headers, xml(''))
  expect(JSON.parse(answer.body)).toMatchObject({ issue: [{ expression: ['Flag.period.end'] }] })
})

test('in a Bundle the request is asked about as a whole, and what is asked for by entry', async () => {
  const booted = await start()
  const entry = (method: string, resource: string) => ({
    resource: JSON.parse(resource) as unknown,
    request: { method, url: method === 'POST' ? 'Flag' : 'Flag/1', ...(method === 'PUT' && { ifMatch: 'W/"3"' }) },
  })
  const bundle = (type: string) =>
    JSON.stringify({ resourceType: 'Bundle', type, entry: [entry('PUT', ended), entry('POST', inactive)] })
  const { 'content-type': contentType } = json
  const refused = await booted.send('POST', '/R4', { 'content-type': contentType }, bundle('transaction'))
  expect(JSON.parse(refused.body)).toMatchObject({
    issue: [{ expression: ['Bundle.entry[0].resource'] }, { expression: ['Bundle.entry[1].resource'] }],
  })
  const batch = await booted.send('POST', '/R4', { 'content-type': contentType, ...clerk }, bundle('batch'))
  expect(JSON.parse(batch.body)).toMatchObject({
    entry: [
      { response: { status: expect.stringMatching(/^200/) } },
      { response: { status: expect.stringMatching(/^201/) } },
    ],
  })
})

test('a patch is judged as one', async () => {
  const booted = await start()
  const patch = (value: string) => JSON.stringify([{ op: 'replace', path: '/status', value }])
  const headers = { ...json, ...clerk, 'content-type': 'application/json-patch+json' }
  const answer = await booted.send('PATCH', '/R4/Flag/1', headers, patch('entered-in-error'))
  expect(JSON.parse(answer.body)).toMatchObject({ issue: [{ details: { text: 'A patch keeps the status.' } }] })
})
