import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import nock from 'nock'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readCapability } from '../../../src/upstream/capability.ts'

async function upstream(answer: RequestListener): Promise<URL> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/fhir`)
}

const never = new AbortController().signal

/** A server that exists for fhir-kit-client only. */
const base = new URL('http://hapi.example/fhir')
const metadata = () => nock(base.origin).get('/fhir/metadata')

beforeAll(() => {
  nock.disableNetConnect()
  nock.enableNetConnect('127.0.0.1')
})
afterEach(() => void nock.cleanAll())
afterAll(() => {
  nock.enableNetConnect()
  nock.restore()
})

const statement = (fhirVersion: unknown) => JSON.stringify({ resourceType: 'CapabilityStatement', fhirVersion })

describe('reading what a server says of itself', () => {
  it('gives the FHIR version that stands below the base at /metadata', async () => {
    const asked = metadata()
      .matchHeader('accept', /application\/(fhir\+)?json/)
      .reply(200, statement('3.0.2'))
    expect(await readCapability(base, 2000, never)).toEqual({ outcome: 'answered', fhirVersion: '3.0.2' })
    expect(asked.isDone()).toBe(true)
  })

  it.each([
    [200, ''],
    [200, '<html></html>'],
    [200, 'null'],
    [200, '[]'],
    [200, '{"resourceType":"Patient","fhirVersion":"3.0.2"}'],
    [200, statement(undefined)],
    [200, statement(3)],
    [200, statement('<script>')],
    [302, ''],
    [401, statement('3.0.2')],
    [500, '{}'],
  ])('makes nothing of %d %s', async (status, body) => {
    metadata().reply(status, body, { Location: '/fhir/metadata2' })
    expect(await readCapability(base, 2000, never)).toEqual({ outcome: 'unusable' })
  })

  it('knows a server that cannot be reached', async () => {
    const url = await upstream((request) => request.socket.destroy())
    expect(await readCapability(url, 2000, never)).toEqual({ outcome: 'unreachable' })
  })

  it('knows a server that does not answer in time', async () => {
    const url = await upstream(() => {})
    expect(await readCapability(url, 20, never)).toEqual({ outcome: 'too-slow' })
  })

  it('ends when it is stopped', async () => {
    const stopping = new AbortController()
    const url = await upstream(() => stopping.abort())
    expect(await readCapability(url, 60_000, stopping.signal)).toEqual({ outcome: 'unreachable' })
  })
})
