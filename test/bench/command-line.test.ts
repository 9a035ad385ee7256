import { describe, expect, it } from 'vitest'
import { readCommandLine } from './command-line.ts'

describe('the command line of the benchmark', () => {
  it('compares everything when nothing is said', () => {
    const { what, cases, servers, clients, rounds } = readCommandLine([])
    expect({ what, cases: cases.length, servers: servers.length, clients, rounds }).toEqual({
      what: 'compare',
      cases: 11,
      servers: 9,
      clients: [1, 32, 256],
      rounds: 5,
    })
  })

  it.each(['--quick', '--check', '--record'])('takes less with %s, unless more is said', (option) => {
    const { servers, clients, rounds } = readCommandLine([option, '--rounds', '7'])
    expect({ servers, clients, rounds }).toEqual({
      servers: ['stub alone', 'http-proxy', 'gateway'],
      clients: [32],
      rounds: 7,
    })
  })

  it('has load for the record by what every machine can have', () => {
    expect(readCommandLine(['--check']).generator).toBe('autocannon')
    expect(readCommandLine(['--record', '--generator', 'wrk']).generator).toBe('wrk')
    expect(readCommandLine(['--quick']).generator).toBeUndefined()
  })

  it('puts another checkout beside this one', () => {
    const { servers, before } = readCommandLine(['--quick', '--before', '../main'])
    expect({ servers, before }).toEqual({
      servers: ['stub alone', 'http-proxy', 'gateway', 'gateway before'],
      before: '../main',
    })
  })

  it('profiles the case that is named', () => {
    expect(readCommandLine(['profile', 'put-xml']).cases.map(({ name }) => name)).toEqual(['put-xml'])
  })

  it.each([
    [['race'], 'race'],
    [['profile'], 'which case'],
    [['--only', 'gett'], 'There is no case gett'],
    [['--servers', 'caddy'], 'There is no server caddy'],
    [['--rounds', '0'], 'above 0'],
    [['--seconds', '1.5'], 'whole numbers'],
    [['--generator', 'ab'], 'ab'],
    [['--fast'], '--fast'],
  ])('refuses %j', (args, told) => {
    expect(() => readCommandLine(args)).toThrow(told)
  })
})
