import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Hands each request to the next of several gateways in turn, with its Host, as a load balancer does. */
export async function balance(urls: readonly string[]): Promise<string> {
  let turn = 0
  const server = http.createServer((req, res) => {
    const { port } = new URL(urls[turn++ % urls.length]!)
    const onward = http.request(
      { host: '127.0.0.1', port, method: req.method!, path: req.url!, headers: req.headers },
      (answer) => {
        res.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(res)
      },
    )
    req.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${new URL(urls[0]!).pathname}`
}

interface Told {
  readonly status: number
  readonly etag: string | null
  readonly body: string
}

type Json = Readonly<Record<string, unknown>>

/**
 * What a client asks of one Flag, each request after the other, so that with two gateways each is answered by another one
 * than the one before: reads, an edit, versions that are current, old and unknown, and writes after writes.
 * @param flag stored already, in its first version
 * @returns what was answered, without what differs from one Flag to the next
 */
export async function talk(base: string, flag: Json & { readonly id: string }, removed: Json): Promise<Told[]> {
  const url = `${base}/Flag/${flag.id}`
  const told: Told[] = []
  const ask = async (method: string, fields: Readonly<Record<string, string>> = {}, body?: Json) => {
    const answer = await fetch(url, {
      method,
      headers: { accept: 'application/fhir+json', 'content-type': 'application/fhir+json', ...fields },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = (await answer.text()).replaceAll(flag.id, 'ID').replaceAll(/("lastUpdated": ?")[^"]*/g, '$1')
    told.push({
      status: answer.status,
      etag: answer.headers.get('etag'),
      body: text.replaceAll(new URL(base).host, 'HOST'),
    })
    return answer.headers.get('etag')
  }
  const version = { 'if-match': (await ask('GET'))! }
  await ask('GET', { 'if-none-match': version['if-match'] })
  await ask('PUT', {}, removed)
  await ask('PUT', version, { ...flag, code: { text: 'another' } })
  await ask('PUT', version, { ...flag, code: { text: 'another' } })
  await ask('PUT', { 'if-match': 'W/"77"' }, removed)
  await ask('PUT', version, removed)
  await ask('PUT', version, removed)
  await ask('PUT', version, flag)
  const next = { 'if-match': (await ask('GET'))! }
  await ask('GET', { 'if-none-match': version['if-match'] })
  await ask('PUT', next, removed)
  await ask('PUT', next, flag)
  await ask('PUT', next, { ...removed, status: 'entered-in-error' })
  await ask('DELETE', next)
  return told
}
