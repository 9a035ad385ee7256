import { createHmac, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** Gives the same short text for the same resource, and tells nothing of its id. */
export type HashId = (type: string, id: string) => string

/** Of so many resources the hash is kept. */
const most = 1000

/**
 * HMAC-SHA-256 of `Type/id`, its first 64 bits in hexadecimal. An id may hold a patient's number, of which there are
 * few enough to try them all: without the key a hash would be no protection.
 * @param key undefined: a random one, so that hashes of this process compare with each other only
 */
export function idHasher(key: string | undefined): HashId {
  const secret = key ?? randomBytes(32)
  // Who works with a resource asks for it several times: a hash takes 16 µs of CPU time, to find it again 0.3.
  const known = new LRUCache<string, string>({
    max: most,
    memoMethod: (resource) => createHmac('sha256', secret).update(resource).digest('hex').slice(0, 16),
  })
  return (type, id) => known.memo(`${type}/${id}`)
}
