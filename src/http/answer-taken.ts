import type { ServerResponse } from 'node:http'

/**
 * Ends the connection of a client that does not take its answer in time: until it has, the answer is held for it.
 * To be called when the answer has been written.
 */
export function boundTaking(res: ServerResponse, milliseconds: number): void {
  if (res.writableLength === 0 || res.destroyed) return
  const late = setTimeout(() => res.destroy(), milliseconds)
  res.once('close', () => clearTimeout(late))
}
