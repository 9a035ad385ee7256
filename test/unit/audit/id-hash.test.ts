import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { idHasher } from '../../../src/audit/id-hash.ts'

const id = '9000000009.b1fe6cc0'

describe('the hash that stands for a resource id', () => {
  it('is the same for the same key, type and id', () => {
    expect(idHasher('a key of the operator')('Flag', id)).toBe(idHasher('a key of the operator')('Flag', id))
  })

  it('is the beginning of HMAC-SHA-256, also when it is asked for again', () => {
    const hash = idHasher('a key of the operator')
    const expected = createHmac('sha256', 'a key of the operator').update(`Flag/${id}`).digest('hex').slice(0, 16)
    expect([hash('Flag', id), hash('Flag', id)]).toEqual([expected, expected])
  })

  it('differs with the key, the type and the id', () => {
    const hash = idHasher('a key of the operator')
    const others = [idHasher('another key altogether')('Flag', id), hash('List', id), hash('Flag', `${id}1`)]
    expect(new Set([hash('Flag', id), ...others]).size).toBe(4)
  })

  it('is sixteen hexadecimal digits and holds nothing of the id', () => {
    expect(idHasher(undefined)('Flag', id)).toMatch(/^[0-9a-f]{16}$/)
  })

  it('is another in each process when there is no key', () => {
    expect(idHasher(undefined)('Flag', id)).not.toBe(idHasher(undefined)('Flag', id))
  })
})
