import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { listen, localOrigin } from '../../../src/cli/listen.ts'

function server() {
  const created = createServer()
  onTestFinished(() => void created.close())
  return created
}

describe('listening', () => {
  it('gives the port that was free', async () => {
    const listening = await listen(server(), { host: '127.0.0.1', port: 0, variable: 'PORT' })
    expect(listening).toEqual({ port: expect.any(Number) })
  })

  it('says that a port is in use, and which variable sets it', async () => {
    const first = await listen(server(), { host: '127.0.0.1', port: 0, variable: 'PORT' })
    const port = 'port' in first ? first.port : 0
    expect(await listen(server(), { host: '127.0.0.1', port, variable: 'ADMIN_PORT' })).toEqual({
      mistake: `Port ${port} is in use on 127.0.0.1. Set ADMIN_PORT to another one, or to 0 for any free one.`,
    })
  })

  it('says that an address is none of this machine', async () => {
    expect(await listen(server(), { host: '192.0.2.1', port: 0, variable: 'PORT' })).toEqual({
      mistake: 'HOST: 192.0.2.1 is not an address of this machine.',
    })
  })

  it.each([
    [undefined, 'http://localhost:80'],
    ['0.0.0.0', 'http://localhost:80'],
    ['127.0.0.1', 'http://127.0.0.1:80'],
    ['::1', 'http://[::1]:80'],
  ])('on %s can be reached from this machine at %s', (host, origin) => {
    expect(localOrigin(host, 80)).toBe(origin)
  })
})
