import { spawnSync } from 'node:child_process'
import { build } from './build.mjs'
import { ensureInstalled, root } from './installed.mjs'

/** Each step in its turn; the first that fails ends the run with its own exit code. */
const steps = [
  ['format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '.']],
  ['lint', 'node_modules/oxlint/bin/oxlint', ['--deny-warnings']],
  ['types', 'node_modules/typescript/bin/tsc', ['--noEmit']],
  ['tests', 'node_modules/vitest/vitest.mjs', ['run', '--project', 'unit', '--project', 'gateway']],
]

ensureInstalled()
build()
for (const [name, program, args] of steps) {
  console.log(`\n${name}`)
  const { status } = spawnSync(process.execPath, [`${root}/${program}`, ...args], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`\n${name} failed.`)
    process.exit(status ?? 1)
  }
}
