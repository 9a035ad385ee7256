import { z } from 'zod'
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts'

const fieldName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/** A text that is read into something else, what it must look like, and the same for editors. */
interface Reading<T> {
  readonly read: (text: string) => T | undefined
  readonly expected: string
  /** What `read` takes matches it; what else does is left to `check`. */
  readonly pattern: RegExp
  readonly not?: readonly string[]
}

/** A setting that is written as a text, and read into something else. */
export function readAs<T>({ read, expected, pattern, not }: Reading<T>) {
  const message = `Expected ${expected}.`
  return z
    .string({ error: message })
    .meta({
      pattern: pattern.source,
      patternErrorMessage: message,
      ...(not && { not: { enum: not }, errorMessage: message }),
    })
    .transform((text, context): T => {
      const value = read(text)
      if (value !== undefined) return value
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
}

/** A text that stays as it is. */
export const matching = (pattern: RegExp, expected: string) =>
  readAs({ pattern, expected, read: (text) => (pattern.test(text) ? text : undefined) })

const durationExpected = 'a duration such as `250ms`, `30s`, `5m` or `1h`'
const readDuration = () => readAs({ read: parseDuration, expected: durationExpected, pattern: durationPattern })

/** A duration of time, in milliseconds. */
export const duration = (preset: string) => readDuration().prefault(preset)

/** One that need not be said. */
export const optionalDuration = () => readDuration().optional()

/** One that may be `0s`, which is none. */
export const durationOrNone = (preset: string) =>
  readAs({
    read: (text) => (text === '0s' ? 0 : parseDuration(text)),
    expected: `${durationExpected}; \`0s\` is none`,
    pattern: new RegExp(`^0s$|${durationPattern.source}`),
  }).prefault(preset)

/** An amount of memory or text, in bytes. */
export const size = (preset: string) =>
  readAs({ read: parseSize, expected: 'a size such as `512 KiB` or `1 MiB`', pattern: sizePattern }).prefault(preset)

/** The name of a header field, in lower case, that is not among some. */
export function headerField(closed: ReadonlySet<string>, expected: string) {
  return readAs({
    expected,
    pattern: fieldName,
    not: [...closed].flatMap((name) => [name, name.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())]),
    read(text) {
      const name = text.toLowerCase()
      return fieldName.test(text) && !closed.has(name) ? name : undefined
    },
  })
}

/** A whole number from 1 to `most`. */
export const count = (preset: number, most: number) => z.int().min(1).max(most).default(preset)
