import { describe, expect, it } from 'vitest'
import { createBreaker, type BreakerState, type Permission, type Sent } from '../../../src/upstream/breaker.ts'

const terms = { percent: 50, ofAtLeast: 4, withinMs: 10_000, pauseMs: 5000 }

function breaker(own: Partial<typeof terms> = {}) {
  let time = 1000
  const states: BreakerState[] = []
  const made = createBreaker(
    { ...terms, ...own },
    () => time,
    (state) => states.push(state),
  )
  const ask = (isRead = true) => made.ask({ isRead })
  const permitted = (isRead = true) => {
    const permission = ask(isRead)
    if (!permission.send) throw new Error('It is not sent.')
    return permission
  }
  return {
    states,
    state: made.state,
    ask,
    permitted,
    pass: (ms: number) => void (time += ms),
    send: (...sent: readonly Sent[]) => sent.forEach((one) => permitted(false).settle(one)),
    open() {
      this.send('failed', 'failed', 'failed', 'failed')
    },
  }
}

const waitOf = (permission: Permission) => (permission.send ? 'sent' : permission.waitMs)

describe('a breaker that is closed', () => {
  it.each<[string, readonly Sent[], BreakerState]>([
    ['of fewer requests than count', ['failed', 'failed', 'failed'], 'closed'],
    ['of as many', ['failed', 'failed', 'failed', 'failed'], 'open'],
    ['when as many fail as may not', ['answered', 'answered', 'failed', 'failed'], 'open'],
    ['when one fewer fails', ['answered', 'answered', 'answered', 'failed', 'failed'], 'closed'],
    ['of what says nothing', ['failed', 'failed', 'failed', 'nothing', 'nothing'], 'closed'],
    ['by an answer', ['failed', 'failed', 'failed', 'answered'], 'closed'],
  ])('opens, or does not: %s', (_what, sent, state) => {
    const { send, state: now } = breaker()
    send(...sent)
    expect(now()).toBe(state)
  })

  it('forgets what is longer ago than the time in which it counts', () => {
    const { send, pass, state } = breaker()
    send('failed', 'failed', 'failed')
    pass(10_000)
    send('failed')
    expect(state()).toBe('closed')
    send('failed', 'failed')
    pass(9999)
    send('failed')
    expect(state()).toBe('open')
  })
})

describe('a breaker that is open', () => {
  it('sends nothing until the pause is over, and says how long that is', () => {
    const one = breaker()
    one.open()
    expect(waitOf(one.ask())).toBe(5000)
    one.pass(4999)
    expect(waitOf(one.ask())).toBe(1)
    expect(waitOf(one.ask(false))).toBe(1)
  })

  it('does not hear what was sent before it opened', () => {
    const one = breaker()
    const early = one.permitted()
    const late = one.permitted()
    one.open()
    early.settle('answered')
    expect(one.state()).toBe('open')
    one.pass(5000)
    const probe = one.permitted()
    late.settle('failed')
    expect(one.state()).toBe('half-open')
    probe.settle('answered')
    expect(one.states).toEqual(['open', 'half-open', 'closed'])
  })
})

describe('a breaker that is half-open', () => {
  const halfOpen = () => {
    const one = breaker()
    one.open()
    one.pass(5000)
    expect(one.state()).toBe('half-open')
    return one
  }

  it('lets one read through, and nothing else while that is under way', () => {
    const one = halfOpen()
    expect(one.ask(false).send).toBe(false)
    expect(one.ask().send).toBe(true)
    expect(one.ask().send).toBe(false)
    expect(one.ask(false).send).toBe(false)
  })

  it('closes when that is answered, and counts anew', () => {
    const one = halfOpen()
    one.permitted().settle('answered')
    expect(one.state()).toBe('closed')
    one.send('failed', 'failed', 'failed')
    expect(one.state()).toBe('closed')
  })

  it('opens again, for the whole pause, when that fails', () => {
    const one = halfOpen()
    one.permitted().settle('failed')
    expect(waitOf(one.ask())).toBe(5000)
  })

  it('lets the next one through when the client of the first has left', () => {
    const one = halfOpen()
    one.permitted().settle('nothing')
    expect(one.state()).toBe('half-open')
    one.permitted().settle('answered')
    expect(one.state()).toBe('closed')
  })
})
