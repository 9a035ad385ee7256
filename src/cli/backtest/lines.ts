import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { CannotGoOn } from '../../backtest/sources.ts'

/** The largest line, in bytes. */
const maxLine = 64 * 1024 * 1024

const newline = 0x0a

/** The lines of a file, each with its number. It is inflated when it is gzip by its first bytes. */
export async function* linesOf(file: string): AsyncGenerator<{ readonly bytes: Buffer; readonly number: number }> {
  let number = 0
  let begun: Buffer[] = []
  let size = 0
  const line = () => {
    const bytes = Buffer.concat(begun)
    begun = []
    size = 0
    number++
    return { bytes, number }
  }
  for await (const chunk of await streamOf(file)) {
    let rest = chunk as Buffer
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      begun.push(rest.subarray(0, end))
      rest = rest.subarray(end + 1)
      yield line()
    }
    begun.push(rest)
    size += rest.length
    if (size > maxLine) throw new CannotGoOn(`${file}:${number + 1} is longer than 64 MiB.`)
  }
  if (size > 0) yield line()
}

async function streamOf(file: string): Promise<AsyncIterable<unknown>> {
  let start = Buffer.alloc(0)
  for await (const chunk of createReadStream(file, { end: 1 })) start = Buffer.concat([start, chunk as Buffer])
  const bytes = createReadStream(file)
  if (start[0] !== 0x1f || start[1] !== 0x8b) return bytes
  const inflated = createGunzip()
  bytes.on('error', (error) => inflated.destroy(error))
  return bytes.pipe(inflated)
}
