import { spawnSync } from 'node:child_process'
import { ensureHapiServerJar } from './hapi-jars.mjs'
import { ensureInstalled, root } from './installed.mjs'

ensureInstalled()
try {
  // Servers that the environment names need no Java of ours. A test that starts one of its own asks for it then.
  if (!process.env.HAPI_URL || !process.env.HAPI_R4_URL) ensureHapiServerJar()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const vitest = [`${root}/node_modules/vitest/vitest.mjs`, 'run', '--project', 'hapi', ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, vitest, { cwd: root, stdio: 'inherit' })
process.exit(status ?? 1)
