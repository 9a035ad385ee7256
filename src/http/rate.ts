import { createRequire } from 'node:module'
import { isIPv6 } from 'node:net'
import type { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import type { Rate } from '../config/bounds.ts'

/** How many requests each client may send. */
export interface RateLimit {
  readonly rate: Rate
  /** Counts a request of a client's; how many seconds it is to wait, or undefined when it may go on. */
  take(client: string): Promise<number | undefined>
  /** Counts more, for the requests that come after. */
  add(client: string, requests: number): Promise<void>
}

const load = createRequire(import.meta.url)

/** Kept in the memory of the process: each client's count, until its time is over. */
export function limitRate(rate: Rate): RateLimit {
  // By itself: the package's index loads what it needs for twenty databases, which takes a tenth of a second.
  const Limiter = load('rate-limiter-flexible/lib/RateLimiterMemory.js') as typeof RateLimiterMemory
  const limiter = new Limiter({ points: rate.requests, duration: rate.perMs / 1000 })
  return {
    rate,
    async take(client) {
      try {
        await limiter.consume(client)
        return undefined
      } catch (refused) {
        if (refused instanceof Error) throw refused
        return Math.max(1, Math.ceil((refused as RateLimiterRes).msBeforeNext / 1000))
      }
    },
    async add(client, requests) {
      await limiter.penalty(client, requests)
    },
  }
}

/**
 * Whom an IP address stands for. Of IPv6, who has one address has at least the 2^64 that begin alike (RFC 6177), and would
 * have a count for each.
 */
export function sourceOf(address: string): string {
  if (!isIPv6(address)) return address
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [left = [], right = []] = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const groups = [...left, ...Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => '0'), ...right]
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
