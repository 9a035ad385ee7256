import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './installed.mjs'

const project = join(root, 'test/hapi/server')
const jar = join(project, 'target/hapi-server.jar')
const lock = join(project, 'target/building')
const javaNeeded = 17
const longestBuild = 15 * 60_000

/** The Java to run: JAVA_HOME's, as Maven takes it, else the PATH's. */
export const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin/java') : 'java'

/**
 * The path of the HAPI server for the tests, built now when its sources are newer.
 * Throws an Error that says what is missing when it cannot be built or run.
 */
export function ensureHapiServerJar() {
  requireJava()
  if (!isCurrent()) withLock(() => isCurrent() || build())
  return jar
}

function isCurrent() {
  return (
    existsSync(jar) && statSync(jar).mtimeMs >= Math.max(newest(join(project, 'pom.xml')), newest(join(project, 'src')))
  )
}

function newest(path) {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))))
}

function build() {
  requireMaven()
  const downloads = existsSync(jar) ? '' : ' (the first time Maven downloads some 200 MB)'
  console.error(`Building the HAPI server for the tests${downloads} …`)
  rmSync(jar, { force: true })
  const { status } = spawnSync('mvn', ['-q', '-B', '-Dstyle.color=never', 'package'], {
    cwd: project,
    stdio: ['ignore', 2, 2],
  })
  if (status !== 0) throw new Error('Maven could not build the HAPI server in test/hapi/server, see above.')
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
  throw new Error('The tests against HAPI need Maven to build the server: `mvn -version` does not run.')
}

/** Only one process builds at a time; the others wait for it. */
function withLock(action) {
  const deadline = Date.now() + longestBuild
  mkdirSync(join(project, 'target'), { recursive: true })
  while (!isTaken()) {
    if (Date.now() > deadline) throw new Error(`Another build holds ${lock}. Delete it if there is none.`)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
  }
  try {
    action()
  } finally {
    rmSync(lock, { force: true })
  }
}

function isTaken() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isHolderGone()) rmSync(lock, { force: true })
    return false
  }
}

function isHolderGone() {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    if (holder > 0) process.kill(holder, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}
