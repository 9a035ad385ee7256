import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createLog } from '../../../src/audit/log.ts'
import { openTraces } from '../../../src/cli/open-traces.ts'

/** An OTLP collector that keeps what it is sent. */
async function collector(status = 200) {
  const bodies: string[] = []
  const server = http.createServer((req, res) => {
    let body = ''
    req.setEncoding('utf8').on('data', (text: string) => void (body += text))
    req.on('end', () => {
      bodies.push(`${req.method} ${req.url} ${body}`)
      res.writeHead(status, { 'content-type': 'application/json' }).end('{}')
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return { bodies, endpoint: new URL(`http://127.0.0.1:${port}/v1/traces`) }
}

function logged() {
  const lines: Record<string, unknown>[] = []
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) })
  return { lines, log }
}

const common = { serviceName: 'in-front-of-hapi', sample: 1, incoming: 'continue' } as const
const request = { method: 'GET', traceparent: undefined, tracestate: undefined }

async function open(settings: Parameters<typeof openTraces>[0], log = logged().log) {
  const opened = await openTraces(settings, log)
  if ('mistake' in opened) throw new Error(opened.mistake)
  return opened
}

describe('traces', () => {
  it('are sent to the collector, under the name of the service, at the latest when the gateway stops', async () => {
    const { bodies, endpoint } = await collector()
    const { traces, close } = await open({ ...common, endpoint })
    await traces.during(request, async () => {
      traces.recorded({ requestId: 'r', type: 'Flag', decision: 'relayed', status: 200, milliseconds: 1 })
    })
    await close()
    expect(bodies).toHaveLength(1)
    expect(bodies[0]).toMatch(/^POST \/v1\/traces \{/)
    expect(bodies[0]).toContain('in-front-of-hapi')
    expect(bodies[0]).toContain('GET Flag')
  })

  it('that the collector does not take hold nobody up; the log says so once, and nothing of what it answered', async () => {
    const { endpoint } = await collector(400)
    const { lines, log } = logged()
    const { traces, close } = await open({ ...common, endpoint }, log)
    await traces.during(request, async () => {})
    await close()
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'spans are not delivered', error: { name: expect.any(String) } },
    ])
    expect(JSON.stringify(lines)).not.toContain(endpoint.host)
  })

  it('need packages, which are named where they are missing', async () => {
    const load = () => Promise.reject(Object.assign(new Error('secret path'), { code: 'ERR_MODULE_NOT_FOUND' }))
    const opened = await openTraces({ ...common, endpoint: new URL('http://127.0.0.1:1') }, logged().log, load)
    expect(opened).toEqual({
      mistake: expect.stringMatching(/not installed.*@opentelemetry\/sdk-trace, .*otlp-http\.$/),
    })
    expect(JSON.stringify(opened)).not.toContain('secret')
  })

  it('that cannot be made for another reason are a fault', async () => {
    const load = () => Promise.reject(new TypeError('broken'))
    const opening = openTraces({ ...common, endpoint: new URL('http://127.0.0.1:1') }, logged().log, load)
    await expect(opening).rejects.toThrow('broken')
  })

  it('need the packages that package.json names as optional peers, and docs/operations.md says to install', async () => {
    const load = () => Promise.reject(Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' }))
    const opened = await openTraces({ ...common, endpoint: new URL('http://127.0.0.1:1') }, logged().log, load)
    const peers = Object.entries(manifest.peerDependencies)
    const installs = readFileSync('docs/operations.md', 'utf8').match(/npm install .*@opentelemetry.*/g)!
    expect(installs).toHaveLength(2)
    for (const [name, range] of peers) {
      const line = /^\^(0\.\d+|[1-9]\d*)\./.exec(range)![1]!
      expect('mistake' in opened && opened.mistake).toContain(name)
      for (const install of installs) expect(`${install} `).toContain(` ${name}@${line} `)
      expect(manifest.peerDependenciesMeta).toHaveProperty([name, 'optional'], true)
      expect(manifest.dependencies).not.toHaveProperty([name])
      expect(manifest.devDependencies).toHaveProperty([name], range)
    }
  })

  it('that are off cost nothing: OpenTelemetry is loaded with them only', () => {
    const sources = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
    const loading = (pattern: RegExp) => sources.filter((path) => pattern.test(readFileSync(`src/${path}`, 'utf8')))
    expect(loading(/^(?:import|export) (?!type )(?:\{[^}]*\}|[^{\n]*) from '@opentelemetry\//m)).toEqual([
      join('audit', 'traces.ts'),
    ])
    expect(loading(/^(?:import|export) (?!type )(?:\{[^}]*\}|[^{\n]*) from '[./a-z-]*\/traces\.ts'/m)).toEqual([])
    expect(loading(/import\('[./a-z-]*\/traces\.ts'\)/)).toEqual([join('cli', 'open-traces.ts')])
  })
})

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<
  Record<'dependencies' | 'devDependencies' | 'peerDependencies' | 'peerDependenciesMeta', Record<string, string>>
>
