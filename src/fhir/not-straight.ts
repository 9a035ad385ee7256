class NotStraight extends Error {}

/** Thrown by a straight reader where the thorough one has to look. Made once: a stack for each would cost more than the reading. */
export const notStraight = new NotStraight('To be read thoroughly.')

/** What was read straight; undefined where that cannot be. */
export function straightOnly<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error === notStraight) return undefined
    throw error
  }
}
