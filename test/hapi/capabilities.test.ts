import { Client } from 'fhir-kit-client'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { shippedPolicy } from '../gateway/booted.ts'
import { startGatewayInFront, type GatewayInFront } from './gateway-in-front.ts'
import { mediaType, type Format, type Json } from './records.ts'

const hapi = inject('hapi')
const served = [
  { version: 'DSTU3', file: 'nhs-reasonable-adjustments-stu3.yaml' },
  { version: 'R4', file: 'general-r4.yaml' },
  { version: 'R4', file: 'nhs-patient-flags-r4.yaml' },
  { version: 'R4', file: 'baseline-r4.yaml' },
] as const

/** What HAPI's validator finds in a resource: its errors, without the places. */
async function errorsIn(base: string, body: string, format: Format): Promise<Set<string>> {
  const answer = await fetch(`${base}/CapabilityStatement/$validate`, {
    method: 'POST',
    headers: { 'content-type': mediaType[format], accept: mediaType.json },
    body,
  })
  const { issue } = (await answer.json()) as { issue: { severity: string; diagnostics: string }[] }
  return new Set(issue.flatMap(({ severity, diagnostics }) => (/error|fatal/.test(severity) ? [diagnostics] : [])))
}

const ownFaults = /searchParam\.type: minimum required = 1/

describe.each(served)('what HAPI $version says of itself, narrowed to $file', ({ version, file }) => {
  let gateway: GatewayInFront

  beforeAll(async () => {
    gateway = await startGatewayInFront(hapi[version], (config) => ({
      ...config,
      bases: config.bases.map((base) => ({ ...base, policy: shippedPolicy(file) })),
    }))
  })
  afterAll(() => gateway.close())

  const read = async (format: Format) => {
    const answer = await fetch(`${gateway.url}/metadata`, { headers: { accept: mediaType[format] } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain(mediaType[format])
    return { body: await answer.text(), etag: answer.headers.get('etag')! }
  }

  // The statement of all R4 types takes the validator minutes, and is no other than those of some.
  test.skipIf(file === 'baseline-r4.yaml').each(['json', 'xml'] as const)('is valid FHIR in %s', async (format) => {
    const { body } = await read(format)
    const errors = [...(await errorsIn(hapi[version], body, format))].filter((error) => !ownFaults.test(error))
    expect(errors).toEqual([])
  })

  test('names no URL of HAPI’s, and is told once', async () => {
    const { body, etag } = await read('json')
    expect(body).not.toContain(new URL(hapi[version]).host)
    const again = await fetch(`${gateway.url}/metadata`, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
  })

  test('is read by fhir-kit-client, and says of each interaction what the gateway does', async () => {
    const client = new Client({ baseUrl: gateway.url })
    const statement = (await client.capabilityStatement()) as unknown as {
      implementation: Json
      rest: { resource: { type: string; interaction: { code: string }[]; versioning?: string }[] }[]
    }
    expect(statement.implementation['url']).toBe(gateway.url)
    const types = new Map(statement.rest[0]!.resource.map((resource) => [resource.type, resource]))
    for (const [type, policy] of shippedPolicy(file).resources) {
      const told = types.get(type)?.interaction.map(({ code }) => code) ?? []
      expect(told.filter((code) => !policy.interactions.has(code as never))).toEqual([])
    }
    const codes = (type: string) => types.get(type)?.interaction.map(({ code }) => code) ?? []
    for (const type of ['Flag', 'Observation', 'Patient']) {
      const statuses = {
        'search-type': await statusOf('GET', `/${type}?_count=1`),
        read: await statusOf('GET', `/${type}/x`),
      }
      for (const [code, status] of Object.entries(statuses)) {
        expect([type, code, status !== 405]).toEqual([type, code, codes(type).includes(code)])
      }
      for (const [code, method] of [
        ['update', 'PUT'],
        ['delete', 'DELETE'],
        ['patch', 'PATCH'],
      ] as const) {
        const status = await statusOf(method, `/${type}/x`)
        expect([type, code, status !== 405]).toEqual([type, code, codes(type).includes(code)])
      }
    }
  })

  const statusOf = async (method: string, target: string) => {
    const answer = await fetch(`${gateway.url}${target}`, { method })
    await answer.arrayBuffer()
    return answer.status
  }
})
