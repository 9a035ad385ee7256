import { describe, expect, test } from 'vitest'
import { parseAddressRange } from '../../src/config/address-range.ts'
import { bootAndClose, type Booted } from './booted.ts'

const trustedProxies = [parseAddressRange('127.0.0.0/8')!]

const says = {
  'x-forwarded-for': '192.0.2.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'fhir.example',
  'x-forwarded-prefix': '/evil',
  'x-forwarded-port': '81',
  forwarded: 'for=192.0.2.2;proto=https;host=rfc7239.example',
}

/** A search whose answer holds a URL of the upstream. */
async function search(booted: Booted, fields: Readonly<Record<string, string>> = says) {
  const body = JSON.stringify({
    resourceType: 'Bundle',
    entry: [{ fullUrl: `${booted.upstream.url.href}/Flag/1`, resource: { resourceType: 'Flag' } }],
  })
  booted.upstream.answers({ GET: { status: 200, headers: { 'content-type': 'application/fhir+json' }, body } })
  const answer = await booted.send('GET', '/STU3/Flag', { host: 'gateway.example', ...fields })
  return { ...answer, url: /"fullUrl":"([^"]*)\/Flag\/1"/.exec(answer.body)?.[1] }
}

describe('the URL under which a client reaches the gateway', () => {
  test('is that of Host, whatever somebody says whom nobody trusts', async () => {
    const booted = await bootAndClose({ listener: { trustedProxies: [parseAddressRange('10.0.0.0/8')!] } })
    expect((await search(booted)).url).toBe('http://gateway.example/STU3')
  })

  test('is what a trusted proxy says in X-Forwarded-Proto and -Host, and no prefix', async () => {
    const booted = await bootAndClose({ listener: { trustedProxies } })
    expect((await search(booted)).url).toBe('https://fhir.example/STU3')
  })

  test('is what a trusted proxy says in Forwarded, where that is what it sets', async () => {
    const booted = await bootAndClose({ listener: { trustedProxies, forwardedIn: 'forwarded' } })
    expect((await search(booted)).url).toBe('https://rfc7239.example/STU3')
  })

  test('is PUBLIC_URL before anything else', async () => {
    const booted = await bootAndClose({ listener: { trustedProxies }, publicUrl: new URL('https://ours.example') })
    expect((await search(booted)).url).toBe('https://ours.example/STU3')
  })

  test('is what another proxy says when the config has changed', async () => {
    const booted = await bootAndClose()
    expect((await search(booted)).url).toBe('http://gateway.example/STU3')
    booted.reconfigure({ listener: { trustedProxies } })
    expect((await search(booted)).url).toBe('https://fhir.example/STU3')
  })
})

test('what a trusted proxy says and cannot be read is refused, and goes nowhere', async () => {
  const booted = await bootAndClose({ listener: { trustedProxies } })
  const answer = await search(booted, { 'x-forwarded-host': 'fhir.example/evil' })
  expect(answer.status).toBe(400)
  expect(answer.body).toContain('malformed header field x-forwarded-host')
  expect(answer.body).not.toContain('evil')
  expect(booted.upstream.seen).toEqual([])
})

test.each([[trustedProxies], [[]]])('nothing of it reaches the upstream, trusted or not', async (trusted) => {
  const booted = await bootAndClose({
    listener: { trustedProxies: trusted },
    forwardHeaderFields: [...Object.keys(says), 'x-original-url', 'x-real-ip'],
  })
  await search(booted, { ...says, 'x-original-url': '/fhir/Patient/1', 'x-real-ip': '192.0.2.1' })
  const [seen] = booted.upstream.seen
  expect(Object.keys(seen!.headers).filter((name) => /forwarded|^x-(?:original|real)/.test(name))).toEqual([])
})
