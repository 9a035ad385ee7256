/** The bodies of requests that are in memory at the same time, counted in bytes. */
export interface HeldBodies {
  /**
   * A body begins to be received.
   * @param giveUp ends its receiving, so that there is room for others; called once at most
   */
  receive(giveUp: () => void): HeldBody
}

/** What one request holds. */
export interface HeldBody {
  /**
   * So many bytes more of it are held. Where all bodies together are then more than `most`, those that have been coming for the
   * longest time are given up, until they are not: a client that sends slowly must not take the place of those that do not.
   * @returns whether this one is held still
   */
  add(bytes: number, most: number): boolean
  /** It is whole, and inflated: it is not given up any more. */
  received(): void
  /** It is not held any more. */
  release(): void
}

export function holdBodies(): HeldBodies {
  let held = 0
  /** What ends each, in the order in which they began. */
  const receiving = new Set<() => void>()
  return {
    receive(giveUp) {
      let bytes = 0
      const release = () => {
        receiving.delete(end)
        held -= bytes
        bytes = 0
      }
      const end = () => {
        release()
        giveUp()
      }
      receiving.add(end)
      return {
        add(more, most) {
          bytes += more
          held += more
          for (const end of receiving) {
            if (held <= most) break
            end()
          }
          return receiving.has(end)
        },
        received: () => void receiving.delete(end),
        release,
      }
    },
  }
}
