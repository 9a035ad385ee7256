import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './installed.mjs'

/** Packs the program, installs the package in an empty folder, and runs it there. */
const folder = mkdtempSync(join(tmpdir(), 'packed-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

function run(command, args, cwd = folder) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], root))
const strangers = packed.files
  .map(({ path }) => path)
  .filter(
    (path) =>
      !/^(?:dist\/.+\.js|config\/.+|deploy\/.+|docs\/.+\.md|package\.json|README\.md|CHANGELOG\.md|LICENSE)$/.test(
        path,
      ),
  )
assert.deepEqual(strangers, [], 'The package holds what it does not need.')
console.log(`${packed.filename}: ${packed.files.length} files, ${Math.round(packed.size / 1024)} KiB`)

run('npm', ['init', '--yes'])
run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', join(folder, packed.filename)])
const program = join(folder, 'node_modules/.bin/fhir-policy-gateway')
assert.equal(run(program, ['--version']).trim(), packed.version)
run(program, ['check'])
run(program, ['test'])

const env = { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: '0' }
const served = spawn(program, [], { cwd: folder, env, stdio: ['ignore', 'pipe', 'inherit'] })
let told = ''
await new Promise((resolve, reject) => {
  served.once('exit', () => reject(new Error('The packed program ended.')))
  // Read to its end: without a reader of its log the program does not serve.
  served.stdout.setEncoding('utf8').on('data', (text) => {
    told += text
    if (/"msg":"ready"/.test(told)) resolve()
  })
})
const [, base] = /^Gateway: (\S+)$/m.exec(told)
assert.equal((await fetch(`${base}/Flag/1`)).status, 200)
served.kill('SIGTERM')
assert.deepEqual(await once(served, 'exit'), [0, null])
console.log('The packed program serves from an empty folder.')
