import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { bootAndClose } from './booted.ts'
import { balance, talk } from './replicas.ts'

const recordOf = (file: string) => JSON.parse(readFileSync(`config/sandbox/${file}`, 'utf8'))

test('two replicas behind a load balancer give the same answers as one', async () => {
  const sandbox = await startSandbox({ fhirVersion: '3.0.2', records: 'config/sandbox' })
  onTestFinished(() => sandbox.close())
  const upstreamUrl = new URL(sandbox.url)
  const gateways = await Promise.all([1, 2, 3].map(() => bootAndClose({ upstreamUrl })))
  const [alone, ...both] = gateways.map(({ origin }) => `${origin}/STU3`)
  const flag = recordOf('flag-1.json')
  const removed = recordOf('try/flag-1-removed.json')
  const copy = async (id: string) => {
    const stored = { ...flag, id }
    const headers = { 'content-type': 'application/fhir+json' }
    const { status } = await fetch(`${sandbox.url}/Flag/${id}`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(stored),
    })
    expect(status).toBe(201)
    return [stored, { ...removed, id }] as const
  }
  const one = await talk(alone!, ...(await copy('replica-1')))
  const two = await talk(await balance(both), ...(await copy('replica-2')))
  expect(two).toEqual(one)
  expect(one.map(({ status }) => status).join(' ')).toBe('200 304 412 403 403 409 200 409 409 200 200 200 403 403 405')
  for (const { records } of gateways.slice(1)) expect(records.length).toBeGreaterThan(5)
})
