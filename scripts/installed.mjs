import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Installs the dependencies of a package when they are missing or not those of its package-lock.json. Ends the process
 * when that fails.
 */
export function ensureInstalled(folder = root) {
  requireNode()
  if (isInstalled(folder)) return
  console.error('Installing what is missing (npm ci) …')
  // npm tells its scripts where it is; a bare `npm` is a shell script that Windows cannot spawn.
  const npm = process.env.npm_execpath
  const [command, ...first] = npm ? [process.execPath, npm] : ['npm']
  // Its warnings are of the packages for tests alone; who tries the program has nothing to do about them.
  const { status } = spawnSync(command, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) {
    console.error('npm ci failed, see above.')
    process.exit(1)
  }
}

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(`Node 20.19 or later is needed; this is ${process.versions.node}.`)
  process.exit(1)
}

/** npm writes what it installed to a lock file of its own; packages for other platforms are not in there. */
function isInstalled(folder) {
  const installedLock = `${folder}/node_modules/.package-lock.json`
  if (!existsSync(installedLock)) return false
  const wanted = packagesOf(`${folder}/package-lock.json`)
  const installed = packagesOf(installedLock)
  return Object.entries(wanted).every(([path, { version, optional, devOptional }]) => {
    if (path === '') return true
    if (!(path in installed)) return optional === true || devOptional === true
    return installed[path].version === version
  })
}

function packagesOf(lock) {
  return JSON.parse(readFileSync(lock, 'utf8')).packages
}
