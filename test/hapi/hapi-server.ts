import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { ensureHapiServerJar, java } from '../../scripts/hapi-jars.mjs'

export type HapiVersion = 'DSTU3' | 'R4'

export interface HapiOptions {
  readonly version: HapiVersion
  /** Folder of the database: what was answered is there again after a kill and a restart. In memory when absent. */
  readonly data?: string
  /** A free one when absent. */
  readonly port?: number
}

export interface HapiServer {
  /** The FHIR base, without a trailing slash. The same after a restart. */
  readonly url: string
  /** Of the process that runs now, or ran last. */
  readonly pid: number
  /** Ends it with SIGTERM and waits until it is gone. */
  stop(): Promise<void>
  /** Ends it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>
  /** Starts it again at the same address, with the same data, and waits until it serves. Kills it first if it runs. */
  restart(): Promise<void>
}

const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
const startDeadline = 120_000

/**
 * Starts a HAPI FHIR JPA server of our own (test/hapi/server) on loopback, builds it first when need be, and waits until
 * it serves. It ends with this process, however that ends. Throws when Java or Maven is missing or HAPI does not start.
 */
export async function startHapi({ version, data, port }: HapiOptions): Promise<HapiServer> {
  const jar = ensureHapiServerJar()
  const fixedPort = port ?? (data === undefined ? 0 : await portOutsideTheEphemeralRange())
  const args = [...flags, '-jar', jar, `--version=${version}`, '--until-eof']
  if (data !== undefined) args.push(`--data=${data}`)

  let { child, url } = await launch([...args, `--port=${fixedPort}`])
  return {
    url,
    get pid() {
      return child.pid ?? 0
    },
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    async restart() {
      await end(child, 'SIGKILL')
      ;({ child, url } = await launch([...args, `--port=${new URL(url).port}`]))
    },
  }
}

/**
 * Its libraries initialise their loggers in several threads at once, and on a busy machine one has been seen to fail by
 * that: a start that failed is tried a second time.
 */
async function launch(args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  return launchOnce(args).catch(() => launchOnce(args))
}

async function launchOnce(args: readonly string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(java, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const complaints = tail(child)
  const timer = setTimeout(() => child.kill('SIGKILL'), startDeadline)
  try {
    const url = await readUrl(child)
    if (url === undefined) throw new Error(`HAPI did not start (java ${args.join(' ')}).\n${complaints()}`)
    letThisProcessEnd(child)
    return { child, url }
  } finally {
    clearTimeout(timer)
  }
}

async function readUrl(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined
  const lines = createInterface({ input: child.stdout })
  const failure = once(child, 'error').then(([error]) => Promise.reject(error))
  const ready = (async () => {
    for await (const line of lines) {
      if (line.startsWith('READY ')) return line.slice('READY '.length)
    }
    return undefined
  })()
  const url = await Promise.race([ready, failure])
  child.stdout.resume()
  return url
}

/** The last of what it wrote to standard error. */
function tail(child: ChildProcess): () => string {
  let text = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-8_000)
  })
  return () => text
}

/** A server that a crashed test left behind must not keep its test run alive: it ends when its standard input does. */
function letThisProcessEnd(child: ChildProcess): void {
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
  }
}

async function end(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

/**
 * A server that comes back needs a port that nobody takes meanwhile. Operating systems give out ports above 32767, also
 * to the client that tries in vain to connect to the dead server (and may then be connected to itself).
 */
async function portOutsideTheEphemeralRange(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  const probe = createServer().listen(port, '127.0.0.1')
  try {
    await once(probe, 'listening')
  } catch {
    return portOutsideTheEphemeralRange()
  }
  probe.close()
  await once(probe, 'close')
  return port
}
