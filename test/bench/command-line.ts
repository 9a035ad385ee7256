import { parseArgs } from 'node:util'
import { caseNamed, cases, type BenchCase } from './cases.ts'
import { serverNames, type ServerName } from './servers.ts'

export const usage = `npm run bench -- [what] [options]

what:
  compare (or nothing)   the gateway beside its peers, case by case
  profile CASE           where the gateway's CPU time goes in one case
  memory                 memory over many requests and many cached versions
  judging                latency against body size, number of policies, number of cached versions
  start                  time from start to ready; time and size of npm ci
  attacks                memory, and what another client notices, while many clients mean harm

options of compare:
  --only CASE,…          ${cases.map(({ name }) => name).join(', ')}
  --servers NAME,…       ${serverNames.join(', ')}
  --clients N,…          how many clients send at the same time: 1,32,256
  --rounds N             5
  --seconds N            of one measurement, whole: 2
  --warm-up N            seconds of load before a server is measured: 6, and up to five times that until 15000 requests are answered
  --generator NAME       wrk (where it is installed) or autocannon
  --before FOLDER        another checkout of the gateway, built: what does a change do?
  --quick                32 clients, 3 rounds of 1 s after 3 s, the gateway, http-proxy and the stub alone; what is said otherwise holds
  --check                quick, load by autocannon, which every machine can have; fails when the gateway needs more CPU time
                         than record.json says, relative to http-proxy
  --record               likewise; writes record.json

further options:
  --requests N           of memory: 1000000; less than 100000 bounds the cached versions, too, also those of judging
  --docs                 writes the tables into docs/benchmarks.md
`

export interface BenchCommand {
  readonly what: 'compare' | 'profile' | 'memory' | 'judging' | 'start' | 'attacks'
  readonly cases: readonly BenchCase[]
  readonly servers: readonly ServerName[]
  readonly clients: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUp: number
  readonly generator: string | undefined
  readonly before: string | undefined
  readonly requests: number
  readonly check: boolean
  readonly record: boolean
  readonly docs: boolean
}

/** @throws {Error} that says what is wrong */
export function readCommandLine(args: readonly string[]): BenchCommand {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: text,
      servers: text,
      clients: text,
      rounds: text,
      seconds: text,
      'warm-up': text,
      generator: text,
      before: text,
      requests: text,
      quick: flag,
      check: flag,
      record: flag,
      docs: flag,
    },
  })
  const [what = 'compare', profiled] = positionals
  if (!isOneOf(['compare', 'profile', 'memory', 'judging', 'start', 'attacks'] as const, what))
    throw new Error(`Unknown: ${what}.`)
  if (what === 'profile' && profiled === undefined) throw new Error('Say which case to profile.')
  const quick = values.quick || values.check || values.record
  const generator = values.generator ?? (values.check || values.record ? 'autocannon' : undefined)
  if (generator !== undefined && !isOneOf(['wrk', 'autocannon'], generator)) throw new Error(`Unknown: ${generator}.`)
  const names = profiled ?? values.only
  const count = (given: string | undefined, otherwise: number) => numbers(given ?? String(otherwise))[0]!
  return {
    what,
    cases: names === undefined ? cases : listed(names).map(caseNamed),
    servers: values.servers === undefined ? serversFor(quick, values.before) : listed(values.servers).map(serverNamed),
    clients: numbers(values.clients ?? (quick ? '32' : '1,32,256')),
    rounds: count(values.rounds, quick ? 3 : 5),
    seconds: count(values.seconds, what === 'profile' ? 5 : quick ? 1 : 2),
    warmUp: count(values['warm-up'], quick ? 3 : 6),
    generator,
    before: values.before,
    requests: count(values.requests, 1_000_000),
    check: values.check,
    record: values.record,
    docs: values.docs,
  }
}

function serversFor(quick: boolean, before: string | undefined): ServerName[] {
  const ofQuick: readonly ServerName[] = ['stub alone', 'http-proxy', 'gateway', 'gateway before']
  const names = quick ? ofQuick : serverNames
  return names.filter((name) => name !== 'gateway before' || before !== undefined)
}

const listed = (text: string) => text.split(',').map((name) => name.trim())

function serverNamed(name: string): ServerName {
  if (!isOneOf(serverNames, name)) throw new Error(`There is no server ${name}. There are: ${serverNames.join(', ')}.`)
  return name
}

function numbers(text: string): number[] {
  const values = listed(text).map(Number)
  if (values.every((value) => Number.isSafeInteger(value) && value > 0)) return values
  throw new Error(`${text}: expected whole numbers above 0.`)
}

const isOneOf = <T extends string>(texts: readonly T[], text: string): text is T => texts.includes(text as T)
