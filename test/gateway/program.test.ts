import { spawnSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { addressesOf, buildProgram, npmStart, startProgram } from './program.ts'

beforeAll(buildProgram, 120_000)

const policyFile = resolve('config/policies/nhs-reasonable-adjustments-stu3.yaml')

/** A folder with a gateway.yaml of these lines beside its base. */
function configWith(lines: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'gateway.yaml'), `bases: [{ path: /fhir, policy: ${policyFile} }]\n${lines}\n`)
  return folder
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close().closeAllConnections())
  return (server.address() as AddressInfo).port
}

/** A FHIR server that knows its version, and answers a read when it is told to. */
function upstream() {
  const held = new EventEmitter<{ request: [ServerResponse] }>()
  const answer: RequestListener = (request, response) => {
    response.setHeader('Content-Type', 'application/fhir+json')
    if (request.url === '/fhir/metadata') response.end('{"resourceType":"CapabilityStatement","fhirVersion":"3.0.1"}')
    else held.emit('request', response)
  }
  return { server: createServer(answer), held: once(held, 'request').then(([response]) => response as ServerResponse) }
}

const urlOf = (port: number) => `http://127.0.0.1:${port}/fhir`

/** What a shell makes of a curl command, as a request. */
async function send(command: string): Promise<number> {
  const words = spawnSync('sh', ['-c', `set -- ${command}; printf '%s\\n' "$@"`], { encoding: 'utf8' }).stdout.split(
    '\n',
  )
  const after = (option: string) => words.flatMap((word, i) => (words[i - 1] === option ? [word] : []))
  const response = await fetch(
    words.find((word) => word.startsWith('http:'))!,
    {
      method: after('-X')[0]!,
      headers: after('-H').map((field) => field.split(': ', 2) as [string, string]),
      body: readFileSync(after('--data')[0]!.replace(/^@/, ''), 'utf8'),
    },
  )
  await response.text()
  return response.status
}

describe('the program with the sandbox', () => {
  it('prints three commands that give what they say, in whatever order', async () => {
    const program = startProgram({})
    await program.printed(/\(403\)\ncurl .*\n/)
    const commands = [...program.stdout().matchAll(/^# .+ \((\d+)\)\n(curl .+)$/gm)]
    expect(commands.map(([, status]) => status)).toEqual(['200', '412', '403'])
    for (const [, status, command] of commands.toReversed()) expect(await send(command!)).toBe(Number(status))
  })

  it('listens on loopback only, and becomes ready', async () => {
    const program = startProgram({})
    const { base, admin } = await addressesOf(program)
    expect(base).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/STU3$/)
    await program.printed(/"msg":"ready"/)
    const ready = await fetch(`${admin}/health/ready`)
    expect([ready.status, await ready.json()]).toEqual([200, { ready: true, bases: [{ path: '/STU3', ready: true }] }])
  })

  it('writes one line per request, without the id or the query', async () => {
    const program = startProgram({})
    const { base } = await addressesOf(program)
    await (await fetch(`${base}/Flag/9000000009.x?_format=json`)).text()
    const [line] = await program.printed(/^.*"msg":"request".*$/m)
    expect(JSON.parse(line)).toMatchObject({ interaction: 'read', type: 'Flag', status: 404 })
    program.signal('SIGTERM')
    const { stdout } = await program.ended
    expect(stdout).not.toMatch(/9000000009|_format/)
    expect(stdout.match(/"msg":"request"/g)).toHaveLength(1)
  })
})

describe('the program before an upstream', () => {
  it('says that it is not ready while the upstream is away, without its address, and becomes ready when it is there', async () => {
    const { server } = upstream()
    const reserved = createServer()
    const port = await listening(reserved)
    await new Promise((done) => reserved.close(done))
    const program = startProgram({ UPSTREAM_URL: urlOf(port), HOST: '127.0.0.1' })
    const { admin } = await addressesOf(program)
    await program.printed(/"level":"warn".*"The upstream cannot be reached\."/)
    const response = await fetch(`${admin}/health/ready`)
    const text = await response.text()
    expect(response.status).toBe(503)
    expect(JSON.parse(text)).toMatchObject({ ready: false, bases: [{ reason: 'The upstream cannot be reached.' }] })
    expect(text).not.toContain(String(port))
    await listening(server, port)
    await program.printed(/"msg":"ready"/)
    expect((await fetch(`${admin}/health/ready`)).status).toBe(200)
  })

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'lets a request in flight end after %s, takes no other, and exits 0',
    async (signal) => {
      const { server, held } = upstream()
      const program = startProgram({ UPSTREAM_URL: urlOf(await listening(server)), HOST: '127.0.0.1' })
      const { base } = await addressesOf(program)
      const answer = fetch(`${base}/Flag/1`)
      const response = await held
      program.signal(signal)
      await program.printed(/"inFlight":1,"msg":"draining"/)
      await expect(fetch(`${base}/Flag/2`)).rejects.toThrow('fetch failed')
      response.end('{"resourceType":"Flag","id":"1","status":"active"}')
      expect((await answer).status).toBe(200)
      expect(await program.ended).toMatchObject({ code: 0, stderr: '' })
    },
  )

  it('is not ready from SIGTERM on, and still answers for drain-delay, each connection once', async () => {
    const { server, held } = upstream()
    const program = startProgram({
      CONFIG: configWith('timeouts: { drain-delay: 1h }'),
      UPSTREAM_URL: urlOf(await listening(server)),
      HOST: '127.0.0.1',
    })
    const { base, admin } = await addressesOf(program)
    program.signal('SIGTERM')
    await program.printed(/"msg":"leaving"/)
    const ready = await fetch(`${admin}/health/ready`)
    expect([ready.status, await ready.json()]).toMatchObject([503, { reason: 'The gateway is draining.' }])
    const answer = fetch(`${base}/Flag/1`)
    ;(await held).end('{"resourceType":"Flag","id":"1","status":"active"}')
    const { status, headers } = await answer
    expect([status, headers.get('connection')]).toEqual([200, 'close'])
  })

  it.each([
    ['GET', 'fetch failed'],
    ['PUT', 502],
  ])(
    'ends although a %s does not when the time to drain is over, which gives the client: %s',
    async (method, given) => {
      const { server, held } = upstream()
      const program = startProgram({
        CONFIG: configWith('timeouts: { drain: 100ms, upstream: 1h }'),
        UPSTREAM_URL: urlOf(await listening(server)),
        HOST: '127.0.0.1',
      })
      const { base } = await addressesOf(program)
      const update = {
        method,
        headers: { 'Content-Type': 'application/fhir+json', 'If-Match': 'W/"1"' },
        body: '{"resourceType":"Flag","id":"1","status":"active"}',
      }
      const answer = fetch(`${base}/Flag/1`, method === 'PUT' ? update : {}).then(
        (response) => response.status,
        (error: Error) => error.message,
      )
      await held
      program.signal('SIGTERM')
      expect(await program.ended).toMatchObject({ code: 0 })
      expect(await answer).toBe(given)
    },
  )
})

describe('the program that cannot serve', () => {
  it.each(['PORT', 'ADMIN_PORT'])('says that the port of %s is in use', async (variable) => {
    const port = await listening(createServer())
    expect(await startProgram({ [variable]: String(port) }).ended).toEqual({
      code: 1,
      stdout: expect.not.stringContaining('Gateway:'),
      stderr: `Port ${port} is in use on 127.0.0.1. Set ${variable} to another one, or to 0 for any free one.\n`,
    })
  })

  it('tells every mistake of the environment', async () => {
    expect(await startProgram({ UPSTREAM_URL: 'hapi/fhir', PORT: 'http' }).ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `UPSTREAM_URL: expected an http or https URL without user, query or fragment, such as \`http://localhost:8081/fhir\`.
PORT: expected a whole number from 0 to 65535.
`,
    })
  })

  it('shows the mistakes of its config, and serves nothing', async () => {
    const { code, stdout, stderr } = await startProgram({ CONFIG: configWith('cach: off') }).ended
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/gateway\.yaml:2:1 {2}There is no setting `cach` here\. Did you mean `cache`\?/)
    expect(stderr).toMatch(/1 error\. Nothing was loaded\.\n$/)
  })
})

describe.skipIf(!existsSync('/dev/full'))('the program whose log cannot be written', () => {
  it('ends, and says so', () => {
    const { status, stderr } = spawnSync('sh', ['-c', 'exec node dist/main.js > /dev/full'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, PORT: '0', ADMIN_PORT: '0' },
      timeout: 15_000,
      killSignal: 'SIGKILL',
    })
    expect([status, stderr]).toEqual([1, 'The log cannot be written: {"name":"Error","code":"ENOSPC"}\n'])
  })
})

describe('npm start', () => {
  it('hands a SIGTERM on to the server', async () => {
    const npm = npmStart()
    await npm.printed(/"msg":"ready"/)
    npm.signal('SIGTERM')
    const { code, stdout } = await npm.ended
    expect(code).toBe(0)
    expect(stdout).toMatch(/"msg":"stopped"\}\n$/)
  })
})

describe('the program with a sandbox that cannot start', () => {
  it('names the record that is wrong', async () => {
    const folder = configWith('')
    mkdirSync(join(folder, 'sandbox'))
    writeFileSync(join(folder, 'sandbox', 'flag.json'), '{"resourceType":"Flag"}')
    expect(await startProgram({ CONFIG: folder }).ended).toEqual({
      code: 1,
      stdout: '',
      stderr: `The sandbox cannot start. ${join(folder, 'sandbox', 'flag.json')}: The record has no id.\n`,
    })
  })
})

describe('the command line', () => {
  it('checks the config that is shipped, and one that is named', async () => {
    expect(await startProgram({}, ['check']).ended).toMatchObject({ code: 0, stderr: '' })
    const wrong = await startProgram({}, ['check', configWith('cach: off')]).ended
    expect([wrong.code, wrong.stdout]).toEqual([1, ''])
  })

  it('explains a write', async () => {
    const files = ['--before', 'config/sandbox/flag-2.json', '--after', 'config/sandbox/try/flag-2-removed.json']
    const { code, stdout, stderr } = await startProgram({}, ['explain', ...files]).ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/\nPermitted as removal\.\n$/)
    const nothing = await startProgram({}, ['explain']).ended
    expect([nothing.code, nothing.stdout]).toEqual([2, ''])
  })

  it('ends a backtest by a signal, with what it has found and where it stands', async () => {
    const flag = { resourceType: 'Flag', id: '1', meta: { versionId: '2' }, status: 'inactive' }
    const { server, held } = upstream()
    const port = await listening(server)
    const state = join(configWith(''), 'state.json')
    const args = ['backtest', '--policy', policyFile, '--upstream', urlOf(port), '--type', 'Flag', '--state', state]
    const program = startProgram({}, args)
    const next = { relation: 'next', url: `${urlOf(port)}?next` }
    const further = once(server, 'request')
    ;(await held).end(
      JSON.stringify({ resourceType: 'Bundle', type: 'history', link: [next], entry: [{ resource: flag }] }),
    )
    await further
    program.signal('SIGINT')
    expect(await program.ended).toEqual({
      code: 130,
      stdout: 'Flag  0 writes in 1 history\n\nThere was no write to judge so far.\n',
      stderr: 'Stopped. The same command goes on from there.\n',
    })
    expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ position: { next: '/fhir?next', told: 1 } })
  })

  it('tells its version and its use', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await startProgram({}, ['--version']).ended).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
    expect(await startProgram({}, ['--help']).ended).toMatchObject({ code: 0, stderr: '' })
    expect(await startProgram({}, ['sevre']).ended).toMatchObject({ code: 2, stdout: '' })
  })
})
