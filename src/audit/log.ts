import { pino, type DestinationStream } from 'pino'

type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void

/**
 * The program's log: one JSON object per line. Nothing of a request's content ever reaches it; an error goes into the
 * field `error`, of which its class and code are written.
 */
export type Log = Readonly<Record<'debug' | 'info' | 'warn' | 'error' | 'fatal', Write>>

/** @param worker the number of this process among several, for every line */
export function createLog(level: string, destination: DestinationStream, worker?: number): Log {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: clock(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
    },
    destination,
  )
}

/** Writes the time as pino wants it. It writes the date anew once in a second: it would take as long as the rest of a line. */
function clock(): () => string {
  let second = Number.NaN
  let text = ''
  return () => {
    const now = Date.now()
    const milliseconds = now % 1000
    if (now - milliseconds !== second) {
      second = now - milliseconds
      text = `,"time":"${new Date(second).toISOString().slice(0, -'000Z'.length)}`
    }
    return `${text}${String(milliseconds).padStart(3, '0')}Z"`
  }
}

/**
 * The class and the code of an error, those of its cause, and for a fault without a code the places that it came
 * through; never a message, which may hold content of a record.
 */
export function describeError(error: unknown): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error }
  const { code } = error as NodeJS.ErrnoException
  const known = typeof code === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(code)
  return {
    name: error.constructor.name,
    ...(known ? { code } : { at: placesOf(error) }),
    ...(error.cause instanceof Error && error.cause !== error && { cause: describeError(error.cause) }),
  }
}

export interface ErrorDescription {
  readonly name: string
  readonly code?: string
  readonly at?: readonly string[]
  readonly cause?: ErrorDescription
}

/** The innermost frames of a stack trace, which repeats the message before them. */
function placesOf({ stack = '', message }: Error): string[] {
  const start = stack.indexOf(message)
  if (start < 0) return []
  const frames = stack.slice(start + message.length).matchAll(/^\s+at (.+)$/gm)
  return Array.from(frames, ([, frame]) => frame!).slice(0, 8)
}
