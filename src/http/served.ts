import type { GatewayConfig } from '../config/config.ts'
import type { GovernedBase } from './exchange.ts'
import { governBases, type Serving } from './governed-bases.ts'
import type { Observers } from './observed-upstream.ts'

/** What is served now, and what was and still answers the requests that began with it. */
export interface Served {
  now(): Serving
  /** A request begins, which is answered by what is served now, whatever is served when the answer is there. */
  begin(): Turn
  /** Its answer is there. */
  end(turn: Turn): void
  /** From now on another config is served. */
  replace(config: GatewayConfig): void
  /** The bases that may still be asking their upstreams: two of them share connections when one follows the other. */
  open(): readonly GovernedBase[]
}

/** The time in which one config is served. */
export interface Turn {
  readonly serving: Serving
  /** How many are being answered by it. */
  requests: number
}

export function serveByTurns(config: GatewayConfig, observers?: Observers): Served {
  let turn: Turn = { serving: governBases(config, observers), requests: 0 }
  const turns = new Set([turn])
  const open = () => [...turns].flatMap(({ serving }) => serving.bases)

  const endOf = (ending: Turn) => {
    if (ending === turn || ending.requests > 0) return
    turns.delete(ending)
    const needed = new Set(open().map(({ client }) => client))
    for (const { client, passThrough } of ending.serving.bases) {
      if (needed.has(client)) continue
      passThrough.close()
      // Nothing is under way there; that it was closed already is no fault.
      void Promise.allSettled([client.close()])
    }
  }
  return {
    now: () => turn.serving,
    begin() {
      turn.requests++
      return turn
    },
    end(begun) {
      begun.requests--
      endOf(begun)
    },
    replace(next) {
      const before = turn
      turn = { serving: governBases(next, observers, before.serving), requests: 0 }
      turns.add(turn)
      endOf(before)
    },
    open,
  }
}
