import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Capability } from '../../../src/upstream/capability.ts'
import { watchReadiness, type Readiness } from '../../../src/upstream/readiness.ts'

const stu3: Capability = { outcome: 'answered', fhirVersion: '3.0.1' }
const unreachable: Capability = { outcome: 'unreachable' }

function watch(...answers: Capability[]) {
  const changes: Readiness[] = []
  const times: number[] = []
  const started = Date.now()
  const read = () => {
    times.push(Date.now() - started)
    return Promise.resolve((answers.length > 1 ? answers.shift() : answers[0])!)
  }
  return { changes, times, watch: watchReadiness('3.0.2', read, (readiness) => changes.push(readiness)) }
}

describe('readiness', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is not there before the upstream has answered, and is there at once when it has', async () => {
    const { watch: readiness, changes } = watch(stu3)
    expect(readiness.now()).toEqual({ ready: false, reason: 'The upstream has not answered /metadata yet.' })
    await vi.advanceTimersByTimeAsync(0)
    expect(readiness.now()).toEqual({ ready: true })
    expect(changes).toEqual([{ ready: true }])
    readiness.stop()
  })

  it('needs the FHIR version of the policy, whose patch number does not count', async () => {
    const { watch: readiness } = watch({ outcome: 'answered', fhirVersion: '4.0.1' })
    await vi.advanceTimersByTimeAsync(0)
    expect(readiness.now()).toEqual({
      ready: false,
      reason: 'The upstream speaks FHIR 4.0.1, and the policy is written for FHIR 3.0.2.',
    })
    readiness.stop()
  })

  it('is lost and comes back, and tells each change once', async () => {
    const { watch: readiness, changes } = watch(stu3, unreachable, unreachable, { outcome: 'too-slow' }, stu3)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(changes).toEqual([
      { ready: true },
      { ready: false, reason: 'The upstream cannot be reached.' },
      { ready: false, reason: 'The upstream did not answer /metadata in time.' },
      { ready: true },
    ])
    readiness.stop()
  })

  it('asks an upstream that is away less and less often', async () => {
    const { watch: readiness, times } = watch(unreachable)
    await vi.advanceTimersByTimeAsync(24_000)
    expect(times).toEqual([0, 250, 750, 1750, 3750, 7750, 15_750, 23_750])
    readiness.stop()
  })

  it('asks no more once it is stopped', async () => {
    const { watch: readiness, times, changes } = watch(stu3)
    readiness.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect([times, changes]).toEqual([[0], []])
  })
})
