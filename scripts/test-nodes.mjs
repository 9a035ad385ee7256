import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root } from './installed.mjs'

/**
 * Runs tests with each release of Node.js that is supported, from the packages in which npm has them: those that the command
 * line names, else all that need no server.
 */
const releases = ['20', '22', '24']
const named = process.argv.slice(2)
const projects = ['--project', 'unit', '--project', 'gateway']

ensureInstalled()
for (const release of releases) {
  const folder = join(root, 'node_modules/.cache/node', release)
  const packageName = `node-${process.platform}-${process.arch}`
  mkdirSync(folder, { recursive: true })
  const install = ['install', '--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
  run('npm', [...install, `${packageName}@${release}`])
  const node = join(folder, 'node_modules', packageName, 'bin/node')
  run(node, ['--version'])
  run(node, [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...projects, ...named])
}

function run(command, args) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
