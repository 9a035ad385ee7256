import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { compilePolicy } from '../../src/policy/compile.ts'
import { startGatewayInFront, type GatewayInFront } from './gateway-in-front.ts'
import type { Json } from './records.ts'

const policyFile = new URL('../../config/policies/general-r4.yaml', import.meta.url)

/** A gateway with the general R4 policy in front of a server. */
export function startGeneralGateway(upstreamUrl: string): Promise<GatewayInFront> {
  const compiled = compilePolicy('general-r4.yaml', readFileSync(policyFile, 'utf8'))
  if (!compiled.ok) throw new Error('The policy does not compile.')
  const profile = { pagingParameter: '_getpages', pinnedDelete: 'history-version' } as const
  return startGatewayInFront(upstreamUrl, (config) => ({
    ...config,
    bases: [{ path: '/R4', policy: compiled.policy, upstream: { url: new URL(upstreamUrl), profile } }],
  }))
}

/** Every way to write that the general policy opens, permitted and refused, with the server's own state read afterwards. */
export function describeGeneralWrites(name: string, upstreamUrl: () => string): void {
  describe(`the general policy in front of ${name}`, () => {
    let gateway: GatewayInFront
    beforeAll(async () => {
      gateway = await startGeneralGateway(upstreamUrl())
    })
    afterAll(() => gateway.close())

    const observation = (identifier: string): Json => ({
      resourceType: 'Observation',
      identifier: [{ system: 'https://lab.example/ids', value: identifier }],
      status: 'preliminary',
      code: { text: 'Potassium' },
      subject: { display: 'A' },
      valueQuantity: { value: 4.1, unit: 'mmol/l' },
    })

    async function ask(url: string, method = 'GET', body?: Json, headers: Readonly<Record<string, string>> = {}) {
      const answer = await fetch(url, {
        method,
        headers: {
          accept: 'application/fhir+json',
          'cache-control': 'no-cache',
          ...(body ? { 'content-type': 'application/fhir+json' } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
      const text = await answer.text()
      const json = (text === '' ? {} : JSON.parse(text)) as Json
      return { status: answer.status, etag: answer.headers.get('etag'), location: answer.headers.get('location'), json }
    }

    /** A resource of the server's, made past the gateway, with an identifier of its own. */
    async function stored(changes: Json = {}) {
      const identifier = randomUUID()
      const made = await ask(`${upstreamUrl()}/Observation`, 'POST', { ...observation(identifier), ...changes })
      const id = String(made.json['id'])
      const now = await ask(`${upstreamUrl()}/Observation/${id}`)
      return { id, identifier, path: `Observation/${id}`, record: now.json, etag: now.etag! }
    }

    const state = async (path: string) => {
      const { status, etag, json } = await ask(`${upstreamUrl()}/${path}`)
      return { status, etag, content: json['status'] }
    }

    const criteria = (identifier: string) => `Observation?identifier=https://lab.example/ids|${identifier}`

    it('creates, and refuses to create what is in error', async () => {
      const identifier = randomUUID()
      const made = await ask(`${gateway.url}/Observation`, 'POST', observation(identifier))
      expect(made.status).toBe(201)
      expect(made.location).toMatch(new RegExp(`^${gateway.url}/Observation/[^/]+/_history/1$`))
      const refused = await ask(`${gateway.url}/Observation`, 'POST', {
        ...observation(identifier),
        status: 'entered-in-error',
      })
      expect([refused.status, refused.json['resourceType']]).toEqual([422, 'OperationOutcome'])
    })

    it('creates once by If-None-Exist', async () => {
      const identifier = randomUUID()
      const ifNoneExist = { 'if-none-exist': `identifier=https://lab.example/ids|${identifier}` }
      const first = await ask(`${gateway.url}/Observation`, 'POST', observation(identifier), ifNoneExist)
      const second = await ask(`${gateway.url}/Observation`, 'POST', observation(identifier), ifNoneExist)
      expect([first.status, second.status]).toEqual([201, 200])
      const found = await ask(`${upstreamUrl()}/${criteria(identifier)}`)
      expect(found.json['total']).toBe(1)
    })

    it('updates what may change, and refuses the subject', async () => {
      const { path, record, etag } = await stored()
      const refused = await ask(
        `${gateway.url}/${path}`,
        'PUT',
        { ...record, subject: { display: 'B' } },
        { 'if-match': etag },
      )
      expect(refused.status).toBe(422)
      expect(await state(path)).toEqual({ status: 200, etag, content: 'preliminary' })
      const updated = await ask(`${gateway.url}/${path}`, 'PUT', { ...record, status: 'final' }, { 'if-match': etag })
      expect(updated.status).toBe(200)
      expect(await state(path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    })

    it('updates by criteria that match one, pinned to the version named', async () => {
      const { path, record, etag, identifier } = await stored()
      const target = `${gateway.url}/${criteria(identifier)}`
      const stale = await ask(target, 'PUT', { ...record, status: 'final' }, { 'if-match': 'W/"9"' })
      expect(stale.status).toBe(412)
      const without = await ask(target, 'PUT', { ...record, status: 'final' })
      expect(without.status).toBe(412)
      const refused = await ask(target, 'PUT', { ...record, subject: { display: 'B' } }, { 'if-match': etag })
      expect(refused.status).toBe(422)
      expect(await state(path)).toEqual({ status: 200, etag, content: 'preliminary' })
      const { id: _id, ...withoutId } = record
      const updated = await ask(target, 'PUT', { ...withoutId, status: 'final' }, { 'if-match': etag })
      expect(updated.status).toBe(200)
      expect(await state(path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
    })

    it('refuses criteria that match several', async () => {
      const one = await stored()
      await ask(`${upstreamUrl()}/Observation`, 'POST', observation(one.identifier))
      const target = `${gateway.url}/${criteria(one.identifier)}`
      const refused = await ask(target, 'PUT', { ...one.record, status: 'final' }, { 'if-match': one.etag })
      expect(refused.status).toBe(412)
      expect(await state(one.path)).toEqual({ status: 200, etag: one.etag, content: 'preliminary' })
    })

    it('creates by criteria that match nothing', async () => {
      const identifier = randomUUID()
      const target = `${gateway.url}/${criteria(identifier)}`
      const made = await ask(target, 'PUT', observation(identifier), { 'if-match': 'W/"1"' })
      expect(made.status).toBe(201)
      expect((await ask(`${upstreamUrl()}/${criteria(identifier)}`)).json['total']).toBe(1)
    })

    it('deletes what was entered in error, and nothing else', async () => {
      const kept = await stored()
      const refused = await ask(`${gateway.url}/${kept.path}`, 'DELETE', undefined, { 'if-match': kept.etag })
      expect([refused.status, refused.json['resourceType']]).toEqual([422, 'OperationOutcome'])
      expect(await state(kept.path)).toEqual({ status: 200, etag: kept.etag, content: 'preliminary' })
      const { path, etag } = await stored({ status: 'entered-in-error' })
      expect((await ask(`${gateway.url}/${path}`, 'DELETE')).status).toBe(412)
      expect((await ask(`${gateway.url}/${path}`, 'DELETE', undefined, { 'if-match': 'W/"9"' })).status).toBe(412)
      expect((await state(path)).status).toBe(200)
      expect((await ask(`${gateway.url}/${path}`, 'DELETE', undefined, { 'if-match': etag })).status).toBe(204)
      expect((await state(path)).status).toBe(410)
      expect((await ask(`${gateway.url}/${path}`, 'DELETE', undefined, { 'if-match': etag })).status).toBe(410)
    })

    it('deletes by criteria that match one', async () => {
      const { path, etag, identifier } = await stored({ status: 'entered-in-error' })
      const target = `${gateway.url}/${criteria(identifier)}`
      expect((await ask(target, 'DELETE', undefined, { 'if-match': etag })).status).toBe(204)
      expect((await state(path)).status).toBe(410)
    })

    it('refuses criteria that would match everything', async () => {
      const { path, record, etag } = await stored({ status: 'entered-in-error' })
      for (const query of ['', '?', '?_count=1', '?identifier=', '?_sort=_id']) {
        const target = `${gateway.url}/Observation${query}`
        expect((await ask(target, 'DELETE', undefined, { 'if-match': etag })).status).toBe(400)
        expect((await ask(target, 'PUT', record, { 'if-match': etag })).status).toBe(400)
      }
      expect((await state(path)).status).toBe(200)
    })
  })
}
