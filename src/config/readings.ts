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

/** A duration of time, in milliseconds. */
export function duration(preset: string) {
  const expected = 'a duration such as `250ms`, `30s`, `5m` or `1h`'
  return readAs({ read: parseDuration, expected, pattern: durationPattern }).prefault(preset)
}

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
