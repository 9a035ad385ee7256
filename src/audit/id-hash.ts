import { createHmac, randomBytes } from 'node:crypto'

/** Gives the same short text for the same resource, and tells nothing of its id. */
export type HashId = (type: string, id: string) => string

/**
 * HMAC-SHA-256 of `Type/id`, its first 64 bits in hexadecimal. An id may hold a patient's number, of which there are
 * few enough to try them all: without the key a hash would be no protection.
 * @param key undefined: a random one, so that hashes of this process compare with each other only
 */
export function idHasher(key: string | undefined): HashId {
  const secret = key ?? randomBytes(32)
  return (type, id) => createHmac('sha256', secret).update(`${type}/${id}`).digest('hex').slice(0, 16)
}
