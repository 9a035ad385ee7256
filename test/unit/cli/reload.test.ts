import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { keepReloading, type Attempt, type Reloading } from '../../../src/cli/reload.ts'
import type { GatewayConfig } from '../../../src/config/config.ts'
import { rememberFiles } from '../../../src/config/files.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { settledOf } from '../../../src/config/reload.ts'

vi.setConfig({ testTimeout: 20_000 })

const policy = (name: string) => `policy: ${name}
fhir: 4.0.1
summary: Nothing is written.
resources:
  Flag:
    interactions: [read]
`
const gatewayYaml = `bases: [{ path: /r4, policy: policies/p.yaml, upstream: { url: 'http://upstream.example/fhir' } }]\n`

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** Writes gateway.yaml and its policy. */
function fill(folder: string, name: string): void {
  mkdirSync(join(folder, 'policies'), { recursive: true })
  writeFileSync(join(folder, 'gateway.yaml'), gatewayYaml)
  writeFileSync(join(folder, 'policies', 'p.yaml'), policy(name))
}

interface Kept {
  readonly reloading: Reloading
  /** The name of the policy that was taken last. */
  served(): string
  digest(): string
  readonly attempts: readonly Attempt[]
  /** Waits for an attempt to be over, and for those before it. */
  tried(count: number): Promise<Attempt>
  /** Waits until a policy of this name has been taken. Gives what was tried until then. */
  serves(name: string): Promise<readonly Attempt[]>
}

/** Keeps reloading what is in a folder until the test ends. */
function keep(configPath: string): Kept {
  const files = rememberFiles()
  const result = loadConfig(configPath, files.read)
  if (!result.ok) throw new Error('The config cannot be loaded.')
  const { loaded } = result
  const attempts: Attempt[] = []
  const waiting = new Set<() => void>()
  let served = loaded.bases[0]!.compiled
  const until = (isSo: () => boolean) =>
    new Promise<void>((resolve) => {
      const see = () => {
        if (!isSo()) return
        waiting.delete(see)
        resolve()
      }
      waiting.add(see)
      see()
    })
  const reloading = keepReloading({
    configPath,
    standing: {
      upstreamUrl: undefined,
      sandbox: undefined,
      settled: settledOf(loaded),
    },
    loaded,
    files,
    reconfigure: (config: GatewayConfig) => void (served = config.bases[0]!.policy),
    tried(attempt) {
      attempts.push(attempt)
      for (const see of waiting) see()
    },
  })
  onTestFinished(() => reloading.stop())
  return {
    reloading,
    attempts,
    served: () => served.name,
    digest: () => served.digest,
    tried: async (count) => {
      await until(() => attempts.length >= count)
      return attempts[count - 1]!
    },
    serves: async (name) => {
      await until(() => served.name === name)
      return attempts
    },
  }
}

describe('a change of a file is taken', () => {
  it('when the policy is written in place', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    writeFileSync(join(folder, 'policies', 'p.yaml'), policy('second'))
    expect(await kept.tried(1)).toEqual({ cause: 'file change', result: 'applied' })
    expect(kept.served()).toBe('second')
  })

  it('when another file is put in the place of the policy, again and again', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    for (const name of ['second', 'third']) {
      writeFileSync(join(folder, 'policies', '.p.yaml.tmp'), policy(name))
      renameSync(join(folder, 'policies', '.p.yaml.tmp'), join(folder, 'policies', 'p.yaml'))
      await kept.serves(name)
    }
    expect(kept.attempts).toHaveLength(2)
  })

  it('when Kubernetes swaps the link of a ConfigMap, again and again', async () => {
    const folder = newFolder()
    const put = (name: string) => {
      mkdirSync(join(folder, `..${name}`))
      fill(join(folder, `..${name}`), name)
      symlinkSync(`..${name}`, join(folder, '..data_tmp'))
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
    }
    put('first')
    symlinkSync('..data/gateway.yaml', join(folder, 'gateway.yaml'))
    symlinkSync('..data/policies', join(folder, 'policies'))
    const kept = keep(folder)
    for (const name of ['second', 'third']) {
      put(name)
      await kept.serves(name)
    }
    expect(kept.attempts).toHaveLength(2)
  })

  it('when a link further up leads elsewhere, of which no folder tells', async () => {
    const folder = newFolder()
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name, 'etc'), { recursive: true })
      fill(join(folder, name, 'etc'), name)
    }
    symlinkSync('first', join(folder, 'current'))
    const kept = keep(join(folder, 'current', 'etc'))
    symlinkSync('second', join(folder, 'next'))
    renameSync(join(folder, 'next'), join(folder, 'current'))
    expect(await kept.serves('second')).toEqual([{ cause: 'file change', result: 'applied' }])
  })

  it('when the folder is taken away and put back', async () => {
    const folder = newFolder()
    fill(join(folder, 'config'), 'first')
    const kept = keep(join(folder, 'config'))
    renameSync(join(folder, 'config'), join(folder, 'old'))
    expect(await kept.tried(1)).toMatchObject({ result: 'refused' })
    fill(join(folder, 'config'), 'second')
    await kept.serves('second')
  })

  it('once, of many in rapid succession: the last', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    for (let i = 0; i < 50; i++) writeFileSync(join(folder, 'policies', 'p.yaml'), policy(`policy-${i}`))
    await kept.serves('policy-49')
    expect(kept.attempts).toEqual([{ cause: 'file change', result: 'applied' }])
  })

  it('not before its writing has come to an end', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    const parts = [...'and so on, for longer than a file that is written must be still'].keys()
    await new Promise<void>((resolve) => {
      const writing = setInterval(() => {
        const { value: part, done } = parts.next()
        writeFileSync(join(folder, 'policies', 'p.yaml'), policy(done ? 'whole' : `part-${part}`))
        if (!done) return
        clearInterval(writing)
        resolve()
      }, 20)
    })
    await kept.serves('whole')
    expect(kept.attempts).toEqual([{ cause: 'file change', result: 'applied' }])
  })

  it('also when it names another policy, whose changes are taken from then on', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    writeFileSync(join(folder, 'other.yaml'), policy('other'))
    writeFileSync(join(folder, 'gateway.yaml'), gatewayYaml.replace('policies/p', 'other'))
    await kept.serves('other')
    writeFileSync(join(folder, 'other.yaml'), policy('changed'))
    expect(await kept.serves('changed')).toHaveLength(2)
  })
})

describe('a list of codes that a policy names', () => {
  const codes = (url: string) =>
    JSON.stringify({ resourceType: 'CodeSystem', url, status: 'active', content: 'complete', concept: [{ code: 'a' }] })

  it('is taken with it when it changes, and refused with it when it is broken', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const file = join(folder, 'policies', 'p.yaml')
    const list = join(folder, 'policies', 'codes.json')
    const rules = `
    create:
      changes: { new: [{ added: $this, open: true, holds: { code: { coded: reasons } } }] }
lists: { reasons: { file: codes.json } }
`
    writeFileSync(list, codes('http://one.example'))
    writeFileSync(file, policy('first').replace('[read]\n', `[read, create]${rules}`))
    const kept = keep(folder)
    const before = kept.digest()
    writeFileSync(list, codes('http://two.example'))
    expect(await kept.tried(1)).toMatchObject({ result: 'applied' })
    expect(kept.digest()).not.toBe(before)
    writeFileSync(list, '{')
    expect(await kept.tried(2)).toMatchObject({ result: 'refused', mistakes: [{ file, path: 'lists.reasons.file' }] })
  })
})

describe('a change that is broken', () => {
  it('is told where it stands, and leaves what was in force', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    const file = join(folder, 'policies', 'p.yaml')
    const broken = policy('second').replace('Flag', 'Flagg').replace('read', 'raed')
    writeFileSync(file, broken)
    const attempt = await kept.tried(1)
    expect(attempt).toEqual({
      cause: 'file change',
      result: 'refused',
      mistakes: [
        {
          file,
          line: 6,
          column: 20,
          path: 'resources.Flagg.interactions[0]',
          message: expect.stringContaining('Expected one of'),
        },
      ],
    })
    expect(kept.served()).toBe('first')
    writeFileSync(file, policy('third'))
    await kept.serves('third')
    expect(kept.attempts).toHaveLength(2)
  })

  it('is over when the file is as it was', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    rmSync(join(folder, 'policies', 'p.yaml'))
    expect(await kept.tried(1)).toMatchObject({
      result: 'refused',
      mistakes: [{ line: 1, path: 'bases[0].policy', message: expect.stringContaining('There is no file') }],
    })
    fill(folder, 'first')
    expect(await kept.tried(2)).toEqual({ cause: 'file change', result: 'applied' })
  })

  it('keeps what needs a restart from being taken in part', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    writeFileSync(join(folder, 'policies', 'p.yaml'), policy('second'))
    writeFileSync(join(folder, 'gateway.yaml'), 'bases: [{ path: /r4, policy: policies/p.yaml }]\n')
    const message = 'This needs a restart: the only base has no upstream any more, and no sandbox runs.'
    expect(await kept.tried(1)).toMatchObject({
      result: 'refused',
      mistakes: [{ file: join(folder, 'gateway.yaml'), message }],
    })
    expect(kept.served()).toBe('first')
  })
})

describe('what is asked for', () => {
  it('is read at once, also when nothing has changed', () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    kept.reloading.now()
    writeFileSync(join(folder, 'policies', 'p.yaml'), policy('second'))
    kept.reloading.now()
    expect(kept.served()).toBe('second')
    expect(kept.attempts).toEqual([
      { cause: 'SIGHUP', result: 'applied' },
      { cause: 'SIGHUP', result: 'applied' },
    ])
  })

  it('is not read any more when the gateway stops', () => {
    const folder = newFolder()
    fill(folder, 'first')
    const kept = keep(folder)
    kept.reloading.stop()
    kept.reloading.now()
    expect(kept.attempts).toEqual([])
  })

  it('is all that is read where files are not watched, until they are', async () => {
    const folder = newFolder()
    fill(folder, 'first')
    writeFileSync(join(folder, 'gateway.yaml'), `${gatewayYaml}reload: { watch: false }\n`)
    const kept = keep(folder)
    writeFileSync(join(folder, 'gateway.yaml'), gatewayYaml)
    writeFileSync(join(folder, 'policies', 'p.yaml'), policy('second'))
    kept.reloading.now()
    writeFileSync(join(folder, 'policies', 'p.yaml'), policy('third'))
    await kept.serves('third')
    expect(kept.attempts.map(({ cause }) => cause)).toEqual(['SIGHUP', 'file change'])
  })
})
