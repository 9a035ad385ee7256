import type { Random } from './random.ts'

/** Some small damage to bytes: bits turned, parts cut, doubled or moved, tokens put in. */
export function damaged(random: Random, bytes: Buffer, tokens: readonly string[]): Buffer {
  let result = bytes
  for (let i = random.chance(0.5) ? 0 : random.int(4); i >= 0; i--) result = damagedOnce(random, result, tokens)
  return result
}

function damagedOnce(random: Random, bytes: Buffer, tokens: readonly string[]): Buffer {
  const at = random.int(bytes.length + 1)
  const end = Math.min(bytes.length, at + random.int(random.chance(0.8) ? 12 : 400))
  const part = bytes.subarray(at, end)
  const [start, rest, behind] = [bytes.subarray(0, at), bytes.subarray(at), bytes.subarray(end)]
  switch (random.int(8)) {
    case 0: {
      const copy = Buffer.from(bytes)
      if (at < copy.length) copy[at]! ^= 1 << random.int(8)
      return copy
    }
    case 1:
      return random.chance(0.3) ? start : Buffer.concat([start, behind])
    case 2:
      return Buffer.concat([start, part, rest])
    case 3: {
      const to = random.int(bytes.length + 1)
      return Buffer.concat([bytes.subarray(0, to), part, bytes.subarray(to)])
    }
    case 4:
      return Buffer.concat([start, Buffer.from([random.int(256)]), rest])
    default:
      return Buffer.concat([start, Buffer.from(random.pick(tokens), 'latin1'), random.chance(0.5) ? rest : behind])
  }
}
