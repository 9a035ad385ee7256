import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { answers, freePort, nodeOptionsOfTheImage, startStub } from './servers.ts'
import { here, startChild } from './child.ts'
import type { BenchCommand } from './command-line.ts'
import type { Findings } from './findings.ts'
import { median, spread } from './statistics.ts'
import { fixed, grouped, mebibytes, percent, table } from './table.ts'

/** From the start of the process to its readiness, with the shipped config; and what it takes to install. */
export async function start({ rounds }: BenchCommand): Promise<Findings> {
  const times = await untilReady(2 * rounds)
  const whole = install([])
  const program = install(['--omit=dev'])
  const row = (what: string, { packages, bytes, seconds }: Installed) => [
    what,
    grouped(packages),
    mebibytes(bytes),
    fixed(seconds, 1),
  ]
  const section = [
    `From start to ready (\`/health/ready\`), the upstream up: ${fixed(median(times), 0)} ms, median of ${times.length}, ± ${percent(spread(times))}.`,
    table(
      ['npm ci, from npm’s cache', 'packages', 'MiB', 'seconds'],
      [row('what the program needs', program), row('with what builds and tests it', whole)],
    ),
  ].join('\n\n')
  return { heading: 'Start', section, data: { times, whole, program } }
}

async function untilReady(times: number): Promise<number[]> {
  const stub = await startStub()
  const found: number[] = []
  for (let at = 0; at < times; at++) {
    const [port, adminPort] = [await freePort(), await freePort()]
    const started = performance.now()
    const child = startChild({
      role: 'measured',
      command: [process.execPath, ...nodeOptionsOfTheImage, here('../../dist/main.js')],
      env: {
        HOST: '127.0.0.1',
        PORT: String(port),
        ADMIN_PORT: String(adminPort),
        UPSTREAM_URL: `${stub.origin}/STU3`,
        NODE_ENV: 'production',
      },
    })
    await answers(`http://127.0.0.1:${adminPort}/health/ready`, child, 5)
    found.push(performance.now() - started)
    await child.stop()
  }
  await stub.stop()
  return found
}

interface Installed {
  readonly packages: number
  readonly bytes: number
  readonly seconds: number
}

function install(options: readonly string[]): Installed {
  const folder = mkdtempSync(join(tmpdir(), 'bench-install-'))
  for (const file of ['package.json', 'package-lock.json']) cpSync(here(`../../${file}`), join(folder, file))
  const started = performance.now()
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline', ...options]
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('npm ci failed.')
  const seconds = (performance.now() - started) / 1000
  const modules = join(folder, 'node_modules')
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')) as { packages: object }
  const files = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0)
  rmSync(folder, { recursive: true, force: true })
  return { packages: Object.keys(packages).length, bytes, seconds }
}
