import { clientAddress } from './arrival.ts'
import type { Serving } from './governed-bases.ts'
import { sourceOf } from './rate.ts'
import { refuse, type Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

/** What the gateway has to do at the moment. */
export interface Load {
  isDraining(): boolean
  /** How many requests are being answered, the one that asks included. */
  inFlight(): number
}

/** Whether a request is taken at all, whatever it asks for: the refusal if it is not. */
export async function admit(
  load: Load,
  { config, rate, proxies }: Serving,
  head: RequestHead,
): Promise<Reply | undefined> {
  if (load.isDraining()) return refuse('draining', 'The gateway is stopping; try again.')
  if (load.inFlight() > config.limits.inFlight) {
    return refuse('overloaded', 'The gateway has too many requests to answer at the same time; try again.')
  }
  const seconds = await rate?.take(sourceOf(clientAddress(head, proxies)))
  if (seconds === undefined) return undefined
  return refuse('too-many-requests', `You send too many requests; wait ${seconds} seconds.`, {
    'retry-after': String(seconds),
  })
}
