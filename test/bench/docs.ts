import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { here } from './child.ts'

const start = `# Benchmarks

Written by \`npm run bench -- --docs\`; CONTRIBUTING.md says what there is to run. Trust the ratios: the other numbers belong to
the machine.
`

/** The text with a section put in, in place of the one that was there under the same heading. */
export function withSection(text: string, heading: string, section: string): string {
  const whole = `## ${heading}\n\n${section.trim()}\n`
  const sections = text.split(/^(?=## )/m)
  const at = sections.findIndex((one) => one.startsWith(`## ${heading}\n`))
  if (at < 0) return `${text.trimEnd()}\n\n${whole}`
  return sections.with(at, at === sections.length - 1 ? whole : `${whole}\n`).join('')
}

/** Writes a section of docs/benchmarks.md, in the format of the house. */
export async function writeDocs(heading: string, section: string): Promise<void> {
  const file = here('../../docs/benchmarks.md')
  const before = existsSync(file) ? readFileSync(file, 'utf8') : start
  const { format, resolveConfig } = await import('prettier')
  const options = await resolveConfig(file)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, await format(withSection(before, heading, section), { ...options, parser: 'markdown' }))
}
