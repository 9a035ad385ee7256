import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism, platform } from 'node:os'
import { fileURLToPath } from 'node:url'

/** A process of the benchmark, which answers questions where it has loaded programs/questions.mjs. */
export interface Child {
  readonly pid: number
  /** @throws {Error} when it has ended, or cannot answer */
  ask<Answer>(question: string, given?: object): Promise<Answer>
  /** Asks it to end, and waits until it has. */
  stop(): Promise<void>
  /** Of the process, or what has ended it. */
  readonly ended: Promise<number | NodeJS.Signals>
}

/** What is measured has a core of its own; the stub and the load share another. */
export type Role = 'measured' | 'other'

const coreOf: Readonly<Record<Role, string>> = { measured: '0', other: '1' }

/** Whether processes are bound to cores: it takes two of them, and `taskset`. */
export const pinned = platform() === 'linux' && availableParallelism() > 1 && has('taskset')

export function has(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined
}

/** The command that runs another on the core of its role. */
export function onCore(role: Role, command: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...args] = command
  return pinned ? ['taskset', '-c', coreOf[role], program, ...args] : [program, ...args]
}

/** A file of test/bench. */
export const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface StartOptions {
  readonly role: Role
  readonly env?: Readonly<Record<string, string>>
  /** Nothing of its own environment is needed but the path. */
  readonly command: readonly string[]
  /** A file to which standard output goes; undefined: nowhere, as `> /dev/null`. */
  readonly stdout?: number
}

/** Starts a process. It has the IPC channel of Node, which other programs leave alone. */
export function startChild({ role, env, command, stdout }: StartOptions): Child {
  const [program, ...args] = onCore(role, command)
  const stdio: StdioOptions = ['ignore', stdout ?? 'ignore', 'inherit', 'ipc']
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio })
  running.add(child)
  const waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (error: Error) => void }>()
  child.on('message', ({ number, answer, error }: { number: number; answer: unknown; error?: string }) => {
    const asked = waiting.get(number)
    waiting.delete(number)
    if (error === undefined) asked?.resolve(answer)
    else asked?.reject(new Error(error))
  })
  const ended = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals)[]) => {
    running.delete(child)
    for (const { reject } of waiting.values()) reject(new Error(`${command.join(' ')} has ended.`))
    return code ?? signal ?? 0
  })
  let asked = 0
  return {
    pid: child.pid ?? 0,
    ended,
    ask: <Answer>(question: string, given: object = {}) =>
      new Promise<Answer>((resolve, reject) => {
        const number = asked++
        waiting.set(number, { resolve: (answer) => resolve(answer as Answer), reject })
        child.send({ number, question, given }, (error) => error && reject(error))
      }),
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
