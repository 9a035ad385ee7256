import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import type { Step, Work } from './clients/day.ts'
import { fhirKitDay } from './clients/fhir-kit.ts'
import { javaDay, pythonDay } from './clients/programs.ts'
import { startGatewayInFront, type GatewayInFront } from './gateway-in-front.ts'
import { removal, type Json } from './records.ts'

/** Real FHIR clients, each of which does a day's work through the gateway, in front of HAPI. */
const hapi = inject('hapi').DSTU3

/** Until a program is built and its libraries are downloaded, in milliseconds. */
const longestInstallation = 15 * 60_000

interface RealClient {
  readonly name: string
  readonly work: Work
  /** How the client's error type tells an HTTP status. */
  readonly refusedAs: (status: number) => Pick<NonNullable<Step['refused']>, 'error' | 'status'>
  readonly searches: readonly string[]
  /** Request header fields that it sends, of which the gateway could make something else. */
  readonly sends: IncomingHttpHeaders
  /** What other clients do not do, or do otherwise. */
  readonly own: readonly (readonly [step: string, Omit<Step, 'step'>])[]
}

const javaErrors: Readonly<Record<number, string>> = {
  400: 'InvalidRequestException',
  403: 'ForbiddenOperationException',
  404: 'ResourceNotFoundException',
  405: 'MethodNotAllowedException',
  409: 'ResourceVersionConflictException',
  412: 'PreconditionFailedException',
}

/** fhirpy has names for four statuses, and takes every 412 for a condition that several resources meet. */
const pythonErrors: Readonly<Record<number, string>> = {
  403: 'ForbiddenError',
  404: 'ResourceNotFound',
  412: 'MultipleResourcesFound',
}

const notOffered = { issue: 'not-supported', code: 'NOT_IMPLEMENTED' }

const java = (encoding: 'JSON' | 'XML'): RealClient => ({
  name: `HAPI's Java client, in ${encoding}`,
  work: javaDay(encoding),
  refusedAs: (status) => ({ error: javaErrors[status]!, status }),
  searches: ['search', 'search with POST'],
  sends: {
    'accept-charset': 'utf-8',
    'accept-encoding': 'gzip',
    'cache-control': 'no-cache',
    'content-encoding': 'gzip',
    'if-match': 'W/"1"',
    'if-none-match': '"1"',
    prefer: 'return=representation',
  },
  own: [['conditional create', { refused: { error: 'MethodNotAllowedException', status: 405, issues: [notOffered] } }]],
})

const fhirKit: RealClient = {
  name: 'fhir-kit-client',
  work: fhirKitDay,
  refusedAs: (status) => ({ error: 'Error', status }),
  searches: ['search', 'search with POST'],
  sends: {
    'accept-charset': 'utf-8',
    'accept-encoding': 'gzip, deflate',
    'if-match': 'W/"1"',
    'if-none-match': 'W/"1"',
    prefer: 'return=representation',
  },
  own: [
    ['conditional create', { refused: { error: 'Error', status: 405, issues: [notOffered] } }],
    ['read compressed', { given: { encoding: 'gzip' } }],
  ],
}

const fhirpy: RealClient = {
  name: 'fhirpy',
  work: pythonDay,
  refusedAs: (status) => ({ error: pythonErrors[status] ?? 'OperationOutcome' }),
  searches: ['search'],
  sends: {
    'accept-encoding': 'gzip, deflate',
    'content-type': 'application/json',
    'if-match': 'W/"1"',
    'if-none-match': '1',
  },
  own: [
    // Its condition stands in the query, where no FHIR server looks for it: HAPI would create a second flag.
    [
      'conditional create',
      { refused: { error: 'OperationOutcome', issues: [{ issue: 'invalid', code: 'BAD_REQUEST' }] } },
    ],
  ],
}

const clients = [java('JSON'), java('XML'), fhirKit, fhirpy]

describe.each(clients.map((client) => [client.name, client] as const))('a day of %s', (_name, client) => {
  const patient = `https://demographics.example/STU3/Patient/${randomUUID()}`
  const sent: IncomingHttpHeaders[] = []
  const steps = new Map<string, Step>()
  let gateway: GatewayInFront
  const given = (step: string) => steps.get(step)?.given

  beforeAll(async () => {
    gateway = await startGatewayInFront(hapi)
    gateway.gateway.server.prependListener('request', ({ headers }) => sent.push({ ...headers }))
    for (const step of await client.work(gateway.url, patient)) steps.set(step.step, step)
  }, longestInstallation)
  afterAll(() => gateway.close())

  it('fetches the CapabilityStatement', () => {
    expect(given('capabilities')).toEqual({ fhirVersion: '3.0.2' })
  })

  it('creates a flag and reads it', () => {
    expect(given('create')).toEqual({ id: expect.stringMatching(/./), version: '1' })
    expect(given('read')).toEqual({ version: '1', status: 'active' })
  })

  it('is told that what it knows has not changed', () => {
    expect(given('read unless it is known')).toEqual({ changed: false })
  })

  it.each(client.searches)('finds every flag by following the links to further pages: %s', (search) => {
    const ids = given(search)?.['ids'] as string[]
    expect(new Set(ids).size).toBe(5)
    expect(ids).toHaveLength(5)
    expect(ids).toContain(given('create')?.['id'])
  })

  it('reads the further pages through the gateway', () => {
    const pages = gateway.records.filter(({ interaction }) => interaction === 'paging')
    expect(pages).toHaveLength(2 * client.searches.length)
  })

  it.each([
    ['create what is already removed', 400, 'business-rule', 'INVALID_RESOURCE', 'Flag.status', 'must be `active`'],
    ['read what is not there', 404, 'not-found', 'RESOURCE_NOT_FOUND', undefined, 'There is no such resource'],
    [
      'update of another element',
      403,
      'business-rule',
      'FORBIDDEN_UPDATE',
      'Flag.code.coding[0].display',
      'Flag.code.coding[0].display differs from the stored version.',
    ],
    ['update without a version', 412, 'required', 'PRECONDITION_FAILED', undefined, 'Send If-Match once'],
    [
      'removal without a comment',
      400,
      'required',
      'MISSING_VALUE',
      "Flag.extension[0].extension('supportingComment')",
      'A removal needs a supporting comment.',
    ],
    ['stale update', 409, 'conflict', 'RESOURCE_VERSION_MISMATCH', undefined, 'Nothing was changed'],
    ['delete', 405, 'not-supported', 'NOT_IMPLEMENTED', undefined, 'not offered'],
    ['conditional delete', 405, 'not-supported', 'NOT_IMPLEMENTED', undefined, 'not offered'],
    ['patch', 405, 'not-supported', 'NOT_IMPLEMENTED', undefined, 'not offered'],
    ['conditional update', 405, 'not-supported', 'NOT_IMPLEMENTED', undefined, 'not offered'],
    ['transaction', 405, 'not-supported', 'NOT_IMPLEMENTED', undefined, 'not offered'],
  ])(
    'learns from its own error type why it is refused: %s, %i',
    (step, status, issue, code, expression, diagnostics) => {
      const { issues = [], ...told } = steps.get(step)?.refused ?? {}
      expect(told).toEqual(client.refusedAs(status))
      expect(issues[0]).toEqual({
        issue,
        code,
        diagnostics: expect.stringContaining(diagnostics),
        ...(expression !== undefined && { expression }),
      })
    },
  )

  it('removes the flag with a reason and a comment', () => {
    expect(given('removal')).toEqual({ version: '2', status: 'inactive' })
  })

  it('reads the version before the removal, and the history', () => {
    expect(given('vread')).toEqual({ version: '1', status: 'active' })
    expect(given('history')).toEqual({ versions: ['2', '1'] })
  })

  it.each(client.own)('has a habit of its own: %s', (step, expected) => {
    expect(steps.get(step)).toMatchObject(expected)
  })

  it.each(Object.entries(client.sends))('sends %s: %s', (name, value) => {
    expect(sent.map((headers) => headers[name])).toContain(value)
  })

  it('has left in HAPI what was permitted, and nothing else', async () => {
    const ofPatient = await fetch(`${hapi}/Flag?subject=${encodeURIComponent(patient)}&_count=50`)
    const { entry } = (await ofPatient.json()) as { entry: { resource: Json & { contained: Json[] } }[] }
    expect(entry).toHaveLength(5)
    const flags = entry.map(({ resource }) => resource)
    expect(flags.filter(({ status }) => status === 'active')).toHaveLength(4)
    const flag = flags.find(({ id }) => id === given('create')?.['id'])
    expect(flag).toMatchObject({ status: 'inactive', meta: { versionId: '2' } })
    expect(flag?.contained.map(({ id }) => id)).toEqual(['p1', 'p2'])
    expect(flag?.['extension']).toMatchObject([removal()])
  })
})
