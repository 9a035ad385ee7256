import net from 'node:net'

/** One HTTP answer as it came over a socket. */
export interface RawAnswer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/**
 * Writes bytes (latin1) to a new connection and gives all that comes back until it is closed. A connection that the other
 * side resets has ended, too.
 */
export function exchangeRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    socket.write(bytes, 'latin1')
  })
}

const bodiless = new Set([204, 304])

/**
 * The answers that follow each other on one connection.
 * @throws {Error} when anything else stands there
 */
export function answersIn(raw: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = raw; rest !== '';) {
    const match = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(rest)
    if (!match) throw new Error(`This is no HTTP answer: ${JSON.stringify(rest.slice(0, 200))}`)
    const [head, status] = match
    rest = rest.slice(head.length)
    const length = /^content-length: (\d+)\r$/im.exec(head)?.[1]
    let body = ''
    if (length !== undefined) {
      body = rest.slice(0, Number(length))
      rest = rest.slice(body.length)
    } else if (/^transfer-encoding: chunked\r$/im.test(head)) {
      for (let size = 1; size > 0;) {
        const line = /^([0-9a-f]+)\r\n/i.exec(rest)
        if (!line) throw new Error('This is no chunk.')
        size = Number.parseInt(line[1]!, 16)
        body += rest.slice(line[0].length, line[0].length + size)
        rest = rest.slice(line[0].length + size + 2)
      }
    } else if (Number(status) >= 200 && !bodiless.has(Number(status))) {
      body = rest
      rest = ''
    }
    answers.push({ status: Number(status), head, body })
  }
  return answers
}
