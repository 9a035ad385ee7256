import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './installed.mjs'

/** Writes sbom.cdx.json: what the program consists of (CycloneDX), from package-lock.json alone. */
const args = [
  'sbom',
  '--sbom-format',
  'cyclonedx',
  '--sbom-type',
  'application',
  '--omit',
  'dev',
  '--package-lock-only',
]
const { status, stdout, stderr } = spawnSync('npm', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
if (status !== 0) {
  console.error(stderr)
  process.exit(1)
}
const bom = JSON.parse(stdout)
// The same lock gives the same file: nothing in it says when it was made.
delete bom.serialNumber
delete bom.metadata.timestamp
const file = join(root, 'sbom.cdx.json')
writeFileSync(file, `${JSON.stringify(bom, undefined, 2)}\n`)
console.log(`${file}: ${bom.components.length} components`)
