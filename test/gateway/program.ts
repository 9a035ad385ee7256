import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { onTestFinished } from 'vitest'

/** The gateway as a process of its own. */
export interface Program {
  readonly stdout: () => string
  /** Waits for something on standard output, and fails when the process ends before. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** The same for standard error. */
  complained(pattern: RegExp): Promise<RegExpExecArray>
  signal(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGKILL'): void
  readonly ended: Promise<Ended>
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Builds dist/ unless it is there and current. */
export function buildProgram(): void {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The build failed:\n${stderr}`)
}

/** Starts the program; nothing of this process's environment reaches it but PATH. */
export function startProgram(env: Readonly<Record<string, string>>, args: readonly string[] = []): Program {
  return start(process.execPath, ['dist/main.js', ...args], env)
}

/** `npm start`, as a newcomer types it. */
export function npmStart(): Program {
  return start('npm', ['start'], {})
}

function start(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (stderr += text))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })

  const seen = async (pattern: RegExp, stream: Readable, text: () => string) => {
    for (;;) {
      const match = pattern.exec(text())
      if (match) return match
      const more = once(stream, 'data').then(() => true)
      const alive = await Promise.race([more, ended.then(() => false)])
      if (!alive && !pattern.test(text())) throw new Error(`The program ended without printing ${pattern}:\n${stderr}`)
    }
  }
  return {
    stdout: () => stdout,
    signal: (name) => void child.kill(name),
    ended,
    printed: (pattern) => seen(pattern, child.stdout, () => stdout),
    complained: (pattern) => seen(pattern, child.stderr, () => stderr),
  }
}

/** Where a program listens that has said so. */
export async function addressesOf(program: Program): Promise<{ readonly base: string; readonly admin: string }> {
  const [, base, admin] = await program.printed(/^Gateway: (\S+)\nHealth and metrics: (\S+)$/m)
  return { base: base!, admin: admin! }
}
