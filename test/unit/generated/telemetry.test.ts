import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** What is written to the log anywhere in the sources, but for the lines of requests. */
const written = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .flatMap((path) => [
    ...readFileSync(`src/${path}`, 'utf8').matchAll(
      /\blog\.(debug|info|warn|error|fatal)\((?:[^'`]*?|.*?\}), ?\s*'([^']+)',?\s*\)/gs,
    ),
  ])
  .map(([, level, message]) => ({ level: level!, message: message! }))

const page = readFileSync('docs/telemetry.md', 'utf8')

describe('docs/telemetry.md', () => {
  it.each(written)('has a row for the line “$message” at level $level', ({ level, message }) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${message}\` `))
    expect(row?.split('|')[2]!.trim()).toBe(level)
  })

  it('has no row for a line that nobody writes', () => {
    const table = page.split('### Other lines')[1]!.split(/^#/m)[0]!
    const rows = [...table.matchAll(/^\| `([^`]+)` /gm)].map(([, message]) => message!)
    expect(rows.filter((row) => row !== 'msg').toSorted()).toEqual(written.map(({ message }) => message).toSorted())
  })

  it('sees every call of the log', () => {
    const calls = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => readFileSync(`src/${path}`, 'utf8').match(/\blog\.(?:debug|info|warn|error|fatal)\(/g) ?? [])
    expect(written).toHaveLength(calls.length)
  })
})
