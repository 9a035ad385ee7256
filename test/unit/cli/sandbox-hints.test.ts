import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { sandboxHints } from '../../../src/cli/sandbox-hints.ts'

describe('what to try against the sandbox', () => {
  it('is written as commands for a shell', () => {
    const folder = mkdtempSync(join(tmpdir(), "it's a gateway-"))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'commands.yaml')
    writeFileSync(file, `commands:\n  - { say: Try this., update: Flag/1, if-match: 'W/"1"', body: flag.json }\n`)
    expect(sandboxHints(file, 'http://localhost:1/fhir')).toBe(
      `# Try this.
curl -i -X PUT http://localhost:1/fhir/Flag/1 -H 'Content-Type: application/fhir+json' -H 'If-Match: W/"1"' --data '@${join(folder, 'flag.json').replaceAll("'", String.raw`'\''`)}'
`,
    )
  })

  it('is nothing where there is no list of commands', () => {
    expect(sandboxHints('/does/not/exist', 'http://localhost:1/fhir')).toBe('')
  })
})
