import type { Caller } from '../tokens/token-check.ts'
import { clientAddress } from './arrival.ts'
import type { GovernedBase } from './exchange.ts'
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

/**
 * Whether a request is taken at all, whatever it asks for: the refusal if it is not. At once where nothing is counted: each
 * promise in the way of a read takes half a microsecond.
 */
export function admit(
  load: Load,
  { config, rate, proxies }: Serving,
  head: RequestHead,
): Promise<Reply | undefined> | Reply | undefined {
  if (load.isDraining()) return refuse('draining', 'The gateway is stopping; try again.')
  if (load.inFlight() > config.limits.inFlight) {
    return refuse('overloaded', 'The gateway has too many requests to answer at the same time; try again.')
  }
  return rate?.take(sourceOf(clientAddress(head, proxies))).then(tooMany)
}

/** Whether a request is taken from who sends it, as its token has it. */
export function admitCaller({ clientRate }: Serving, base: GovernedBase, caller: Caller) {
  const client = clientRate && clientOf(base, caller)
  return client === undefined ? undefined : clientRate!.take(client).then(tooMany)
}

/** Counts the entries of a Bundle beyond the first: each takes what a request takes. They are not refused, later requests are. */
export async function countEntries(
  { rate, clientRate, proxies }: Serving,
  head: RequestHead,
  base: GovernedBase,
  caller: Caller,
  entries: number,
): Promise<void> {
  if (entries < 2) return
  await rate?.add(sourceOf(clientAddress(head, proxies)), entries - 1)
  const client = clientOf(base, caller)
  if (client !== undefined) await clientRate?.add(client, entries - 1)
}

/** Two issuers may give the same name to two clients. */
function clientOf({ tokenCheck }: GovernedBase, { client, subject }: Caller): string | undefined {
  if (!tokenCheck || (client ?? subject) === undefined) return undefined
  return JSON.stringify([tokenCheck.terms.issuer, client ?? null, client === undefined ? subject : null])
}

const tooMany = (seconds: number | undefined): Reply | undefined =>
  seconds === undefined
    ? undefined
    : refuse('too-many-requests', `You send too many requests; wait ${seconds} seconds.`, {
        'retry-after': String(seconds),
      })
