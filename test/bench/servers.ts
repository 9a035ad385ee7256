import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import { devNull, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { basePathOf, canned, type BenchCase, type Expected } from './cases.ts'
import { has, here, startChild, type Child } from './child.ts'
import { idPlaceholder } from './records.ts'

/** A server that takes load. */
export interface Server {
  readonly name: string
  readonly origin: string
  /** CPU time since its start, in microseconds; undefined for the stub, which is not measured. */
  cpuMicroseconds?(): Promise<number>
  /** Undefined where it is no program of Node's. */
  readonly child?: Child
  stop(): Promise<void>
}

export interface Stub {
  readonly origin: string
  /** How many requests it has answered. */
  requests(): Promise<number>
  stop(): Promise<void>
}

/** The upstream of all that is measured. */
export async function startStub(): Promise<Stub> {
  const child = startChild({ role: 'other', command: [process.execPath, here('programs/stub.mjs')] })
  const origin = await child.ask<string>('start', { canned: canned(), idPlaceholder })
  return { origin, requests: () => child.ask<number>('requests'), stop: child.stop }
}

/** In the order of the tables. The stub by itself shows what the load and the upstream can do. */
export const serverNames = [
  'stub alone',
  'http-proxy',
  'gateway',
  'gateway before',
  'undici',
  'express',
  'http-proxy-middleware',
  'fastify',
  'hand-written',
  'nginx',
] as const

export type ServerName = (typeof serverNames)[number]

/** Whether a server has a part in a case, on this machine. */
export function takesPart(name: ServerName, benchCase: BenchCase): boolean {
  if (name === 'hand-written') return benchCase.byHand
  return name !== 'nginx' || has('nginx')
}

/** What a server answers where it is correct. */
export function expectedOf(name: ServerName, { judged, forwarded }: BenchCase): Expected {
  return ['gateway', 'gateway before', 'hand-written'].includes(name) ? judged : forwarded
}

/**
 * Starts a server in front of an upstream, and waits until it answers.
 * @param before the folder of another checkout, built: `gateway before`
 */
export async function startServer(
  name: ServerName,
  benchCase: BenchCase,
  upstream: string,
  before: string | undefined,
): Promise<Server> {
  switch (name) {
    case 'stub alone':
      return { name, origin: upstream, stop: async () => {} }
    case 'gateway':
      return startGateway({ basePath: basePathOf(benchCase), upstream })
    case 'gateway before': {
      if (before === undefined) throw new Error('`gateway before` needs --before FOLDER.')
      const started = await startGateway({ basePath: basePathOf(benchCase), upstream, folder: resolve(before) })
      return { ...started, name }
    }
    case 'nginx':
      return startNginx(upstream)
    default:
      return startPeer(name, upstream)
  }
}

export interface GatewayStart {
  readonly basePath: string
  readonly upstream: string
  /** A folder with a gateway.yaml; undefined: the checkout's own, or its general-r4/. */
  readonly config?: string
  readonly nodeOptions?: readonly string[]
  /** Of the checkout; undefined: this one's. */
  readonly folder?: string
  /** Its upstreams stand in the config already. */
  readonly hasUpstream?: boolean
}

/** The program as its image runs it: it logs every request, to nowhere, and counts it. */
export async function startGateway(start: GatewayStart): Promise<Server & { readonly child: Child }> {
  const { basePath, upstream, nodeOptions = [], folder = here('../..') } = start
  const port = await freePort()
  const config = start.config ?? join(folder, basePath === '/R4' ? 'test/bench/general-r4' : 'config')
  const log = openSync(devNull, 'w')
  const child = startChild({
    role: 'measured',
    command: [process.execPath, ...nodeOptionsOfTheImage, ...nodeOptions, ...measured, join(folder, 'dist/main.js')],
    env: {
      PORT: String(port),
      ADMIN_PORT: '0',
      HOST: '127.0.0.1',
      NODE_ENV: 'production',
      CONFIG: config,
      ...(!start.hasUpstream && { UPSTREAM_URL: upstream + basePath }),
    },
    stdout: log,
  })
  closeSync(log)
  return answering('gateway', port, child, `${basePath}/metadata`)
}

const measured = ['--import', here('programs/measured.mjs')]

/** What the image gives Node (ENTRYPOINT of the Dockerfile says why). */
export const nodeOptionsOfTheImage = ['--v8-pool-size=1', '--max-semi-space-size=64']

async function startPeer(name: ServerName, upstream: string): Promise<Server> {
  const port = await freePort()
  const child = startChild({
    role: 'measured',
    command: [process.execPath, ...measured, here(`peers/${name}.mjs`)],
    env: { PORT: String(port), UPSTREAM: upstream, NODE_ENV: 'production' },
  })
  return answering(name, port, child, '/STU3/metadata')
}

async function answering(name: string, port: number, child: Child, path: string): Promise<Server & { child: Child }> {
  const origin = `http://127.0.0.1:${port}`
  await answers(origin + path, child)
  const usage = () => child.ask<{ readonly cpuMicroseconds: number }>('usage')
  const cpuMicroseconds = async () => (await usage()).cpuMicroseconds
  return { name, origin, child, cpuMicroseconds, stop: child.stop }
}

async function startNginx(upstream: string): Promise<Server> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'bench-nginx-'))
  const file = join(folder, 'nginx.conf')
  const text = readFileSync(here('peers/nginx.conf'), 'utf8')
    .replaceAll('{port}', String(port))
    .replaceAll('{upstream}', new URL(upstream).host)
    .replaceAll('{folder}', folder)
  writeFileSync(file, text)
  const child = startChild({ role: 'measured', command: ['nginx', '-e', join(folder, 'error.log'), '-c', file] })
  const origin = `http://127.0.0.1:${port}`
  await answers(`${origin}/STU3/metadata`, child)
  return {
    name: 'nginx',
    origin,
    cpuMicroseconds: async () => cpuOf(child.pid),
    async stop() {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** proc(5): the 14th and 15th field of stat, in hundredths of a second. The second one, in brackets, may hold blanks. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Waits until a URL is answered with 200. */
export async function answers(url: string, child: Child, everyMs = 20): Promise<void> {
  let code: unknown
  void child.ended.then((how) => (code = how))
  for (;;) {
    const status = await fetch(url).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.status
      },
      () => 0,
    )
    if (status === 200) return
    if (code !== undefined) throw new Error(`A server of the benchmark has ended (${String(code)}).`)
    await setTimeout(everyMs)
  }
}

export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return port
}
