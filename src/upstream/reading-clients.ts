/** So long a client takes nothing before its place may be given to another, in milliseconds. */
const stalledMs = 2000

/**
 * The reads of one upstream and the clients who take their answers. Each has a connection to the upstream until its client has
 * taken the answer, so that clients who take nothing could hold all of them.
 */
export interface ReadingClients {
  /** A read begins: as long as it waits for a connection, the client who has taken nothing for the longest time gives way. */
  begin(): void
  /** A client takes no more at the moment. */
  stalls(giveUp: () => void): void
  /** It does again. */
  takes(giveUp: () => void): void
  /** A read is over. */
  end(giveUp: () => void): void
}

/** @param connections how many there are */
export function readingClients(connections: number): ReadingClients {
  let reads = 0
  let timer: NodeJS.Timeout | undefined
  /** Since when, in this order. */
  const stalled = new Map<() => void, number>()
  const makeRoom = (): void => {
    clearTimeout(timer)
    const [longest] = stalled
    if (!longest || reads <= connections) return
    const [giveUp, since] = longest
    const left = since + stalledMs - performance.now()
    if (left > 0) {
      timer = setTimeout(makeRoom, left).unref()
      return
    }
    giveUp()
    makeRoom()
  }
  return {
    begin() {
      reads++
      makeRoom()
    },
    stalls(giveUp) {
      if (stalled.has(giveUp)) return
      stalled.set(giveUp, performance.now())
      makeRoom()
    },
    takes: (giveUp) => void stalled.delete(giveUp),
    end(giveUp) {
      reads--
      stalled.delete(giveUp)
    },
  }
}
