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

    it.each([
      ['reads', (path: string) => path],
      ['searches', (_path: string, identifier: string) => criteria(identifier)],
      ['asks for the history', (path: string) => `${path}/_history`],
    ])('asks the server nothing of its own when a client %s and then updates', async (_what, target) => {
      const { path, record, etag, identifier } = await stored()
      const before = gateway.asked.length
      expect((await ask(`${gateway.url}/${target(path, identifier)}`)).status).toBe(200)
      const updated = await ask(`${gateway.url}/${path}`, 'PUT', { ...record, status: 'final' }, { 'if-match': etag })
      expect(updated.status).toBe(200)
      expect(gateway.asked.slice(before)).toEqual(['read', 'write'])
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

    const patches = {
      'JSON Patch': (path: string, value: string) => ({
        type: 'application/json-patch+json',
        text: JSON.stringify([
          { op: 'test', path: '/status', value: 'preliminary' },
          { op: 'replace', path, value },
        ]),
      }),
      'XML Patch': (path: string, value: string) => ({
        type: 'application/xml-patch+xml',
        text: `<diff xmlns:f="http://hl7.org/fhir"><replace sel="f:Observation${path.replaceAll('/', '/f:')}/@value">${value}</replace></diff>`,
      }),
      'FHIRPath Patch': (path: string, value: string) => ({
        type: 'application/fhir+json',
        text: JSON.stringify({
          resourceType: 'Parameters',
          parameter: [
            {
              name: 'operation',
              part: [
                { name: 'type', valueCode: 'replace' },
                { name: 'path', valueString: `Observation${path.replaceAll('/', '.')}` },
                { name: 'value', ...(path === '/status' ? { valueCode: value } : { valueString: value }) },
              ],
            },
          ],
        }),
      }),
    }

    describe.each(Object.entries(patches))('%s', (_form, patch) => {
      const send = async (target: string, path: string, value: string, ifMatch?: string) => {
        const { type, text } = patch(path, value)
        const answer = await fetch(`${gateway.url}/${target}`, {
          method: 'PATCH',
          headers: {
            accept: 'application/fhir+json',
            'content-type': type,
            ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
          },
          body: text,
        })
        const body = (await answer.json()) as {
          resourceType: string
          issue?: { expression?: string[]; diagnostics?: string }[]
        }
        return { status: answer.status, etag: answer.headers.get('etag'), body }
      }

      it('is applied, judged, and stored pinned to its version', async () => {
        const { path, etag } = await stored()
        const answer = await send(path, '/status', 'final', etag)
        expect([answer.status, answer.etag, answer.body.resourceType]).toEqual([200, 'W/"2"', 'Observation'])
        expect(await state(path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
      })

      it('is applied to the one match of criteria', async () => {
        const { path, etag, identifier } = await stored()
        expect((await send(criteria(identifier), '/status', 'final', etag)).status).toBe(200)
        expect(await state(path)).toEqual({ status: 200, etag: 'W/"2"', content: 'final' })
      })

      it.each<[string, string, string, string | undefined, number, string | undefined]>([
        ['of the subject', '/subject/display', 'B', 'W/"1"', 422, 'Observation.subject.display'],
        ['that does not apply', '/note/text', 'B', 'W/"1"', 422, undefined],
        ['of the id', '/id', 'other', 'W/"1"', 422, undefined],
        ['of another version', '/status', 'final', 'W/"9"', 412, undefined],
        ['without If-Match', '/status', 'final', undefined, 412, undefined],
      ])('%s is refused, and nothing is stored', async (_what, at, value, ifMatch, status, expression) => {
        const { path, etag } = await stored()
        const answer = await send(path, at, value, ifMatch)
        expect([answer.status, answer.body.resourceType]).toEqual([status, 'OperationOutcome'])
        expect(answer.body.issue?.map((issue) => issue.expression?.[0])).toContain(
          expression ?? answer.body.issue?.[0]?.expression?.[0],
        )
        expect(await state(path)).toEqual({ status: 200, etag, content: 'preliminary' })
      })
    })

    it('a patch of another media type is refused with what is offered', async () => {
      const { path, etag } = await stored()
      const answer = await fetch(`${gateway.url}/${path}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json', 'if-match': etag },
        body: '{"status":"final"}',
      })
      expect([answer.status, answer.headers.get('accept-patch')]).toEqual([
        415,
        'application/json-patch+json, application/xml-patch+xml, application/fhir+json, application/fhir+xml',
      ])
      expect(await state(path)).toEqual({ status: 200, etag, content: 'preliminary' })
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
