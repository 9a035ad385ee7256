import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readingClients } from '../../../src/upstream/reading-clients.ts'

/** Two connections, and clients who tell when they are given up. */
function twoConnections() {
  const clients = readingClients(2)
  const givenUp: string[] = []
  const client = (name: string) => {
    const giveUp = () => {
      givenUp.push(name)
      clients.end(giveUp)
    }
    clients.begin()
    return giveUp
  }
  return { clients, givenUp, client, passes: (milliseconds: number) => void vi.advanceTimersByTime(milliseconds) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('when all connections are in use', () => {
  it('the client who has taken nothing for the longest time gives way, one for each who comes', () => {
    const { clients, givenUp, client, passes } = twoConnections()
    const [first, second] = [client('first'), client('second')]
    clients.stalls(second)
    passes(100)
    clients.stalls(first)
    passes(2000)
    client('third')
    expect(givenUp).toEqual(['second'])
    client('fourth')
    expect(givenUp).toEqual(['second', 'first'])
  })

  it('also one who stalls after the other has come', () => {
    const { clients, givenUp, client, passes } = twoConnections()
    const first = client('first')
    client('second')
    client('third')
    clients.stalls(first)
    passes(1999)
    expect(givenUp).toEqual([])
    passes(1)
    expect(givenUp).toEqual(['first'])
  })

  it('nobody does who takes, or has stalled for a moment only', () => {
    const { clients, givenUp, client, passes } = twoConnections()
    const [first, second] = [client('first'), client('second')]
    clients.stalls(first)
    passes(5000)
    clients.takes(first)
    clients.stalls(second)
    passes(1999)
    client('third')
    expect(givenUp).toEqual([])
  })
})

it('while a connection is free, a client may take its time', () => {
  const { clients, givenUp, client, passes } = twoConnections()
  const first = client('first')
  clients.stalls(first)
  passes(60_000)
  clients.end(client('second'))
  client('third')
  expect(givenUp).toEqual([])
})
