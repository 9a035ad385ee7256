import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './installed.mjs'

const javaNeeded = 17
const longestBuild = 15 * 60_000

/** The Java to run: JAVA_HOME's, as Maven takes it, else the PATH's. */
export const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java'

/**
 * The path of the HAPI server for the tests, built now when its sources are newer.
 * Throws an Error that says what is missing when it cannot be built or run.
 */
export const ensureHapiServerJar = () =>
  ensureJar({ what: 'the HAPI server', folder: 'test/hapi/server', jar: 'hapi-server.jar', megabytes: 200 })

/** The same for the program that works with HAPI's Java client. */
export const ensureHapiClientJar = () =>
  ensureJar({ what: 'the HAPI client', folder: 'test/hapi/clients/java', jar: 'hapi-client.jar', megabytes: 40 })

/** `megabytes`: how much Maven downloads the first time, about. */
function ensureJar({ what, folder, jar, megabytes }) {
  requireJava()
  const project = join(root, folder)
  const path = join(project, 'target', jar)
  const isCurrent = () =>
    existsSync(path) &&
    statSync(path).mtimeMs >= Math.max(newest(join(project, 'pom.xml')), newest(join(project, 'src')))
  if (!isCurrent()) withLock(join(project, 'target'), () => isCurrent() || build())
  return path

  function build() {
    requireMaven()
    const downloads = existsSync(path) ? '' : ` (the first time Maven downloads some ${megabytes} MB)`
    console.error(`Building ${what} for the tests${downloads} …`)
    rmSync(path, { force: true })
    const { status } = spawnSync('mvn', ['-q', '-B', '-Dstyle.color=never', 'package'], {
      cwd: project,
      stdio: ['ignore', 2, 2],
    })
    if (status !== 0) throw new Error(`Maven could not build ${what} in ${folder}, see above.`)
  }
}

function newest(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function requireJava() {
  const { error, stderr, status } = spawnSync(java, ['-version'], { encoding: 'utf8' })
  if (error || status !== 0) {
    throw new Error(`The tests against HAPI need Java ${javaNeeded} or later: \`${java} -version\` does not run.`)
  }
  const version = /version "(?:1\.)?(\d+)/.exec(stderr)?.[1]
  if (Number(version) >= javaNeeded) return
  throw new Error(`The tests against HAPI need Java ${javaNeeded} or later: \`${java}\` is ${stderr.split('\n')[0]}.`)
}

function requireMaven() {
  const { error, status } = spawnSync('mvn', ['-version'], { stdio: 'ignore' })
  if (!error && status === 0) return
  throw new Error('The tests against HAPI need Maven to build what they run: `mvn -version` does not run.')
}

/** Only one process builds at a time; the others wait for it. */
function withLock(folder, action) {
  const lock = join(folder, 'building')
  const deadline = Date.now() + longestBuild
  mkdirSync(folder, { recursive: true })
  while (!isTaken(lock)) {
    if (Date.now() > deadline) throw new Error(`Another build holds ${lock}. Delete it if there is none.`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    action()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isTaken(lock) {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isHolderGone(lock)) rmSync(lock, { force: true })
    return false
  }
}

function isHolderGone(lock) {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    if (holder > 0) process.kill(holder, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
