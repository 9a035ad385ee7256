import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchCase, BenchRequest, Expected, Load } from './cases.ts'
import { has, here, onCore, startChild } from './child.ts'
import { idPlaceholder } from './records.ts'

/** Some load on a server. */
export interface Run {
  readonly origin: string
  readonly load: Load
  readonly expected: Expected
  /** How many clients send, each one request after the other. */
  readonly connections: number
  /** Whole seconds. */
  readonly seconds: number
}

/** What came of it. Latencies in milliseconds. */
export interface Outcome {
  readonly requests: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

export interface Generator {
  readonly name: 'wrk' | 'autocannon'
  /** @throws {Error} when an answer is wrong or missing */
  run(run: Run): Promise<Outcome>
  stop(): Promise<void>
}

/** How many requests of 32 clients a gateway answers in so many whole seconds. */
export async function answered(
  generator: Generator,
  origin: string,
  { load, judged }: BenchCase,
  seconds: number,
): Promise<number> {
  return (await generator.run({ origin, load, expected: judged, connections: 32, seconds })).requests
}

/** More than there are clients, so that a GET has been answered before the PUT of the same id is sent. */
const block = 512

/** wrk where it is installed: it costs less, and tells short latencies better. */
export function startGenerator(wanted: string | undefined): Generator {
  if (wanted === 'wrk' || (wanted === undefined && has('wrk'))) return wrk()
  return autocannon()
}

/** The first of the ids that no request had before, for the whole benchmark. */
let freshId = 1

interface Told extends Outcome {
  readonly wrong: number
  readonly example: string
}

/** Thrown by `run` where a server takes requests and answers none. */
export class NoAnswer extends Error {}

function checked({ wrong, example, ...outcome }: Told, { origin, connections }: Run): Outcome {
  freshId += outcome.requests + connections + 2 * block
  if (wrong > 0) throw new Error(`${wrong} wrong answers of ${origin}, such as: ${example}`)
  if (outcome.requests === 0) throw new NoAnswer(`No answer of ${origin}.`)
  return outcome
}

function autocannon(): Generator {
  const child = startChild({ role: 'other', command: [process.execPath, here('peers/autocannon.mjs')] })
  return {
    name: 'autocannon',
    async run(run) {
      const { load, expected: answer, origin, connections, seconds } = run
      const asked = { origin, ...load, answer, connections, seconds, block, first: freshId, idPlaceholder }
      return checked(await child.ask<Told>('load', asked), run)
    },
    stop: child.stop,
  }
}

const execute = promisify(execFile)

function wrk(): Generator {
  const folder = mkdtempSync(join(tmpdir(), 'bench-wrk-'))
  const file = join(folder, 'load.lua')
  return {
    name: 'wrk',
    async run(run) {
      writeFileSync(file, inLua(run))
      const { connections, seconds, origin } = run
      const size = ['-t', '1', '-c', String(connections), '-d', String(seconds)]
      const command = ['wrk', ...size, '--timeout', '10', '-s', here('programs/wrk.lua'), origin, '--', file]
      const [program, ...args] = onCore('other', command)
      const { stdout } = await execute(program, args)
      const told = /^result (\d+) (\d+) (\S+) (\S+) (\d+) ?(.*)$/m.exec(stdout)
      if (!told) throw new Error(`wrk said something else:\n${stdout}`)
      const [requests, microseconds, p50, p99, wrong] = told.slice(1, 6).map(Number)
      return checked(
        { requests: requests!, seconds: microseconds! / 1e6, p50: p50!, p99: p99!, wrong: wrong!, example: told[6]! },
        run,
      )
    },
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The load as programs/wrk.lua reads it. */
function inLua({ load, expected, origin }: Run): string {
  const requests = load.requests.map((request) => {
    const parts = asText(request, new URL(origin).host).split(idPlaceholder)
    return `  { ${parts.map(luaText).join(', ')} },`
  })
  return [
    'return {',
    `  block = ${block}, first = ${freshId}, fresh = ${load.ids === 'fresh'}, id = ${luaText(idPlaceholder)},`,
    `  status = ${expected.status}, holds = ${luaText(expected.holds)},`,
    '  requests = {',
    ...requests,
    '  },',
    '}',
  ].join('\n')
}

/** JSON writes ASCII as Lua reads it, but for what JSON escapes by `\u`, of which there is nothing here. */
const luaText = (text: string) => JSON.stringify(text)

function asText({ method, path, headers, body = '' }: BenchRequest, host: string): string {
  const fields = { host, ...headers, ...(body !== '' && { 'content-length': String(body.length) }) }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
