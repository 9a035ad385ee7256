import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { pino } from 'pino'
import { describeError } from './audit/log.ts'
import { coloured, plain, wantsColour } from './cli/colour.ts'
import { workerVariable } from './cli/cluster/pool.ts'
import { takeSeat } from './cli/cluster/worker.ts'
import { parseCommandLine, textOption, textOptions, type OptionValues } from './cli/command-line.ts'
import { helpText } from './cli/help.ts'
import type { Tested, TestOptions } from './cli/test.ts'
import { readEnvironment, type Environment } from './config/environment.ts'

const packagedConfig = fileURLToPath(new URL('../config', import.meta.url))

/** Empty counts as unset. */
const configPath = process.env.CONFIG || packagedConfig
const colours = wantsColour(process.stdout, process.env) ? coloured : plain

const tell = (text: string) => void process.stdout.write(text)
const complain = (text: string) => void process.stderr.write(text)

/**
 * Does what the command line asks for. Gives the exit code.
 * What a command needs is loaded by it: to load all of them would take a fifth of the time until the gateway serves.
 */
async function run(args: readonly string[]): Promise<number> {
  const command = parseCommandLine(args)
  switch (command.name) {
    case 'help':
      tell(helpText(command.of))
      return 0
    case 'version':
      tell(`${packageVersion()}\n`)
      return 0
    case 'mistaken':
      complain(
        `${command.mistake}\nfhir-policy-gateway ${command.of ? `${command.of} ` : ''}--help tells what there is.\n`,
      )
      return 2
    case 'check': {
      const { check } = await import('./cli/check.ts')
      const checked = check({
        path: command.operands[0] ?? configPath,
        packaged: command.operands.length === 0 && configPath === packagedConfig,
        markdown: command.options['markdown'] === true,
        colours,
      })
      ;(checked.exitCode === 0 ? tell : complain)(checked.text)
      return checked.exitCode
    }
    case 'test':
      return testUntilSignal(command.operands, command.options)
    case 'explain': {
      const { explainWrite } = await import('./cli/explain.ts')
      const { options } = command
      const done = await explainWrite({
        policyFile: textOption(options, 'policy'),
        configPath,
        before: textOption(options, 'before'),
        after: textOption(options, 'after'),
        interaction: textOption(options, 'interaction'),
        operation: textOption(options, 'operation'),
        bases: textOptions(options, 'base'),
        headers: textOptions(options, 'header'),
        headerFile: textOption(options, 'header-file'),
        json: options['json'] === true,
        colours,
        stdin: () => buffer(process.stdin),
      })
      ;(done.exitCode === 0 ? tell : complain)(done.text)
      return done.exitCode
    }
    case 'backtest':
      return backtestUntilSignal(command.options)
    case 'serve': {
      const read = readEnvironment(process.env)
      if (read.ok) return serveUntilSignal(read.environment)
      complain(`${read.mistakes.join('\n')}\n`)
      return 1
    }
  }
}

/** Once, or with --watch until a signal ends it. */
async function testUntilSignal(operands: readonly string[], options: OptionValues): Promise<number> {
  const asked: TestOptions = {
    paths: operands.length > 0 ? operands : [configPath],
    only: textOption(options, 'only'),
    junit: textOption(options, 'junit'),
    tap: options['tap'] === true,
    coverageRequired: options['require-coverage'] === true,
    watch: options['watch'] === true,
    colours,
  }
  const { mistakeOf, test } = await import('./cli/test.ts')
  const mistake = mistakeOf(asked)
  if (mistake !== undefined) {
    complain(mistake)
    return 2
  }
  const tellTested = ({ text, mistakes }: Tested) => {
    tell(text)
    complain(mistakes)
  }
  if (!asked.watch) {
    const tested = test(asked)
    tellTested(tested)
    return tested.exitCode
  }
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  const { watchTest } = await import('./cli/test-watch.ts')
  return watchTest(asked, {
    stop: stopping.signal,
    tell(tested) {
      tellTested(tested)
      tell('\nWaiting for a change; Ctrl+C ends it.\n')
    },
  })
}

async function backtestUntilSignal(options: OptionValues): Promise<number> {
  const stopping = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort())
  const { backtest } = await import('./cli/backtest/backtest.ts')
  const done = await backtest(options, {
    configPath,
    colours,
    progress: process.stderr.isTTY ? complain : undefined,
    stop: stopping.signal,
    wait: async (milliseconds, signal) => void (await setTimeout(milliseconds, undefined, { signal })),
    now: Date.now,
  })
  tell(done.text)
  complain(done.complaint)
  return done.exitCode
}

async function serveUntilSignal(environment: Environment): Promise<number> {
  // V8 would learn while the program warms up, as long as its space for young objects is small, that what is read of a body lives
  // long, and would put it among the old ones from then on, until all of those are looked at. With 32 clients one update in 100
  // took 25 ms instead of 7, and one in XML 140 µs of CPU time instead of 105.
  setFlagsFromString('--no-allocation-site-pretenuring')
  const stopping = new AbortController()
  // From the beginning, because Node ends a process that does not listen; before it serves there is nothing to reload.
  let reload = () => {}
  process.on('SIGHUP', () => reload())
  // Once each: a second signal ends the process at once, as Node does without a listener.
  process.once('SIGTERM', () => stopping.abort())
  const number = cluster.isWorker ? Number(process.env[workerVariable]) : 0
  // What a terminal sends to all processes, a worker hears from the primary.
  if (number > 0) process.on('SIGINT', () => {})
  else process.once('SIGINT', () => stopping.abort())
  // Node would print the message of the error, which may quote a record.
  process.once('uncaughtException', (error) => {
    complain(`The gateway ended by a fault: ${JSON.stringify(describeError(error))}\n`)
    process.exit(1)
  })
  const openLog = (to: 'stdout' | 'stderr') => {
    const stream = process[to]
    // To write each line by itself would take as much CPU time as to make it: 10 µs. Gathered as bytes for writes of 16 KiB it
    // takes 2; as text, to which a line is added and which is measured each time, 5. Lines wait for each other 50 ms at most.
    const gathered = { minLength: 16 * 1024, maxWrite: 32 * 1024, periodicFlush: 50, contentMode: 'buffer' } as const
    const destination = pino.destination({ dest: stream.fd, sync: false, ...gathered })
    // Its types know of texts only.
    const logTo = { write: (line: string) => void destination.write(Buffer.from(line) as unknown as string) }
    // Nothing is served that is not written down. What is left is given up: pino would try to write it for ever.
    const cannotWrite = (error: unknown) => {
      destination.destroy()
      complain(`The log cannot be written: ${JSON.stringify(describeError(error))}\n`)
      process.exit(1)
    }
    destination.once('error', cannotWrite)
    stream.once('error', cannotWrite)
    // Node ends a worker whose primary is gone. Nobody reads its output then: pino would wait at the exit until it fits.
    cluster.worker?.once('disconnect', () => {
      if (!cluster.worker?.exitedAfterDisconnect) destination.destroy()
    })
    return { logTo, tell: (text: string) => void stream.write(text) }
  }
  const orders = { reload: () => reload(), stop: () => stopping.abort() }
  const seat = number > 0 ? await takeSeat(cluster.worker!, number, orders) : undefined
  const { serve } = await import('./cli/serve.ts')
  const mistake = await serve({
    environment: seat ? { ...environment, logHashKey: seat.logHashKey } : environment,
    configPath,
    stop: stopping.signal,
    onReloadAsked: (listener) => void (reload = listener),
    openLog,
    program: fileURLToPath(import.meta.url),
    seat,
  })
  if (mistake !== undefined) await (seat ? seat.cannot(mistake) : complain(mistake))
  seat?.leave()
  return mistake === undefined ? 0 : 1
}

function packageVersion(): string {
  const file = fileURLToPath(new URL('../package.json', import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

process.exitCode = await run(process.argv.slice(2))
