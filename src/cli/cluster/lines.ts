import type { Readable } from 'node:stream'

/** Hands on a text line by line, each whole and with its end: what several processes write never mixes within a line. */
export function eachLine(text: Readable, write: (line: string) => void): void {
  let begun = ''
  text.setEncoding('utf8')
  text.on('data', (chunk: string) => {
    const lines = (begun + chunk).split('\n')
    begun = lines.pop()!
    for (const line of lines) write(`${line}\n`)
  })
  // What a process that was killed has begun is no line: nobody could read it.
}
