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

/**
 * What is being received, each with the one that began before it and the one that began after it. A Set would be a reason for the
 * garbage collector to keep bodies long after they are gone: see `answeredOn` in gateway.ts.
 */
interface Receiving {
  readonly end: () => void
  before: Receiving | undefined
  after: Receiving | undefined
}

export function holdBodies(): HeldBodies {
  let held = 0
  let first: Receiving | undefined
  let last: Receiving | undefined

  const begin = (end: () => void): Receiving => {
    const begun: Receiving = { end, before: last, after: undefined }
    if (last) last.after = begun
    first ??= begun
    last = begun
    return begun
  }
  const leave = (one: Receiving): void => {
    if (one.before) one.before.after = one.after
    else first = one.after
    if (one.after) one.after.before = one.before
    else last = one.before
    one.before = one.after = undefined
  }

  return {
    receive(giveUp) {
      let bytes = 0
      const received = () => {
        if (receiving) leave(receiving)
        receiving = undefined
      }
      const release = () => {
        received()
        held -= bytes
        bytes = 0
      }
      let receiving: Receiving | undefined = begin(() => {
        release()
        giveUp()
      })
      return {
        add(more, most) {
          bytes += more
          held += more
          const isTooMuch = () => held > most
          for (let longest = first; longest && isTooMuch(); longest = first) longest.end()
          return receiving !== undefined
        },
        received,
        release,
      }
    },
  }
}
