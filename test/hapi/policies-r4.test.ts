import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { loadPolicy } from '../../src/config/load.ts'
import { startGatewayInFront, type GatewayInFront } from './gateway-in-front.ts'
import type { Json } from './records.ts'

/** The shipped R4 policies beside the general one, live: the program does not know them, they are files. */

const upstream = () => inject('hapi').R4

function startWith(policyFile: string): Promise<GatewayInFront> {
  const loaded = loadPolicy(fileURLToPath(new URL(`../../config/policies/${policyFile}`, import.meta.url)))
  if (!loaded.ok) throw new Error('The policy does not compile.')
  return startGatewayInFront(upstream(), (config) => ({
    ...config,
    bases: [{ path: '/R4', policy: loaded.policy, upstream: { url: new URL(upstream()), profile: {} } }],
  }))
}

async function ask(url: string, method = 'GET', body?: Json | string, fields: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(url, {
    method,
    headers: {
      accept: 'application/fhir+json',
      ...(body === undefined
        ? {}
        : { 'content-type': `application/fhir+${typeof body === 'string' ? 'xml' : 'json'}` }),
      ...fields,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await answer.text()
  return { status: answer.status, fields: answer.headers, json: (text === '' ? {} : JSON.parse(text)) as Json }
}

/** A resource of the server's, made past the gateway. */
async function stored(resource: Json) {
  const made = await ask(`${upstream()}/${String(resource['resourceType'])}`, 'POST', resource)
  const path = `${String(resource['resourceType'])}/${String(made.json['id'])}`
  return { path, record: made.json, etag: made.fields.get('etag')! }
}

const inStore = async (path: string) =>
  (await ask(`${upstream()}/${path}`, 'GET', undefined, { 'cache-control': 'no-cache' })).json

describe('nhs-patient-flags-r4', () => {
  let gateway: GatewayInFront
  beforeAll(async () => {
    gateway = await startWith('nhs-patient-flags-r4.yaml')
  })
  afterAll(() => gateway.close())

  const flag: Json = {
    resourceType: 'Flag',
    status: 'active',
    code: { text: 'Family history' },
    subject: { display: 'A' },
  }
  const reason = {
    url: 'https://fhir.nhs.uk/England/StructureDefinition/Extension-England-FlagRemovalReason',
    valueCoding: { system: 'https://fhir.nhs.uk/England/CodeSystem/England-FGMRemovalReason', code: '2' },
  }

  it('removes a flag without If-Match, and puts back what else was supplied', async () => {
    const { path, record } = await stored(flag)
    const sent = { ...record, status: 'inactive', extension: [reason], code: { text: 'Another text' } }
    const { status, fields, json } = await ask(`${gateway.url}/${path}`, 'PUT', sent)
    expect({ status, flag: json['status'], code: json['code'] }).toEqual({
      status: 200,
      flag: 'inactive',
      code: { text: 'Family history' },
    })
    expect(fields.get('warning')).toContain('Flag.code.text')
    expect(await inStore(path)).toMatchObject({
      status: 'inactive',
      code: { text: 'Family history' },
      extension: [reason],
    })
  })

  it('does the same with a body of XML', async () => {
    const { path, etag } = await stored(flag)
    const { status, fields } = await ask(
      `${gateway.url}/${path}`,
      'PUT',
      `<Flag xmlns="http://hl7.org/fhir"><id value="${path.slice(5)}"/><extension url="${reason.url}"><valueCoding><system value="${reason.valueCoding.system}"/><code value="0"/></valueCoding></extension><status value="entered-in-error"/><code><text value="Another text"/></code><subject><display value="A"/></subject></Flag>`,
      { 'if-match': etag },
    )
    expect(status).toBe(200)
    expect(fields.get('warning')).toContain('Flag.code.text')
    expect(await inStore(path)).toMatchObject({ status: 'entered-in-error', code: { text: 'Family history' } })
  })

  it('refuses an update that is no removal, one without a reason, and one of an old version; nothing is stored', async () => {
    const { path, record, etag } = await stored(flag)
    const edited = await ask(`${gateway.url}/${path}`, 'PUT', { ...record, code: { text: 'Another text' } })
    const without = await ask(`${gateway.url}/${path}`, 'PUT', { ...record, status: 'inactive' })
    const old = await ask(
      `${gateway.url}/${path}`,
      'PUT',
      { ...record, status: 'inactive', extension: [reason] },
      { 'if-match': 'W/"7"' },
    )
    expect([edited.status, without.status, old.status]).toEqual([422, 400, 412])
    const now = await ask(`${upstream()}/${path}`)
    expect(now.fields.get('etag')).toBe(etag)
  })
})

describe('baseline-r4', () => {
  let gateway: GatewayInFront
  beforeAll(async () => {
    gateway = await startWith('baseline-r4.yaml')
  })
  afterAll(() => gateway.close())

  const encounter: Json = { resourceType: 'Encounter', status: 'finished', class: { code: 'AMB' } }

  it('needs If-Match for every type, and deletes nothing', async () => {
    for (const resource of [encounter, { resourceType: 'Location', name: 'Ward 1' }]) {
      const { path, record, etag } = await stored(resource)
      const unpinned = await ask(`${gateway.url}/${path}`, 'PUT', record)
      const deleted = await ask(`${gateway.url}/${path}`, 'DELETE')
      const pinned = await ask(`${gateway.url}/${path}`, 'PUT', { ...record, language: 'en' }, { 'if-match': etag })
      expect([unpinned.status, deleted.status, pinned.status]).toEqual([412, 405, 200])
    }
  })

  it('keeps a finished encounter finished, and says so', async () => {
    const { path, record, etag } = await stored(encounter)
    const { status, json } = await ask(
      `${gateway.url}/${path}`,
      'PUT',
      { ...record, status: 'in-progress' },
      { 'if-match': etag },
    )
    expect(status).toBe(422)
    expect(json).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: [{ code: 'business-rule', expression: ['Encounter.status'] }],
    })
    expect(await inStore(path)).toMatchObject({ status: 'finished' })
  })
})
