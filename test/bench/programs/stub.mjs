/**
 * The upstream of the benchmark: canned answers over bare TCP, chosen by the request line, so that it costs far less than
 * what is measured in front of it. It keeps nothing: every resource is always there, in its first version.
 */
import net from 'node:net'
import { answerQuestions } from './questions.mjs'

/** What was answered since the start. */
let requests = 0
/** By method and target: `GET /STU3/Flag/` for an id after it, `GET /STU3/Flag?` for any query. */
let answers = new Map()

const server = net.createServer({ noDelay: true }, (socket) => {
  const connection = { socket, unread: undefined, bodyBytes: 0, chunked: false, reply: undefined }
  socket.on('data', (chunk) => take(connection, chunk))
  socket.on('error', () => socket.destroy())
})

/** Reads what has come as far as it goes; a body is only counted. */
function take(connection, chunk) {
  let bytes = connection.unread ? Buffer.concat([connection.unread, chunk]) : chunk
  connection.unread = undefined
  while (bytes.length > 0) {
    if (connection.reply === undefined) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end < 0) return void (connection.unread = bytes)
      const head = bytes.latin1Slice(0, end)
      bytes = bytes.subarray(end + 4)
      connection.reply = replyTo(head)
      connection.bodyBytes = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      connection.chunked = /\r\ntransfer-encoding: *chunked/i.test(head)
    }
    if (connection.chunked) {
      // Whoever is measured sends one request at a time, so that the last chunk ends what has come.
      if (bytes.latin1Slice(-5) !== '0\r\n\r\n') return void (connection.unread = bytes)
      bytes = bytes.subarray(bytes.length)
    } else {
      const taken = Math.min(connection.bodyBytes, bytes.length)
      connection.bodyBytes -= taken
      bytes = bytes.subarray(taken)
      if (connection.bodyBytes > 0) return
    }
    connection.socket.write(connection.reply, 'latin1')
    connection.reply = undefined
    requests++
  }
}

const notHere = 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'
const noBody = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'
const wantsXml = /\r\naccept: *[^\r]*xml/i
const hasBody = /\r\n(?:content-length: *[1-9]|transfer-encoding:)/i
const knowsFirstVersion = /\r\nif-none-match: *W\/"1"/i

function replyTo(head) {
  const line = head.slice(0, head.indexOf(' HTTP/'))
  const query = line.indexOf('?')
  const end = query < 0 ? line.lastIndexOf('/') + 1 : query + 1
  const known = answers.get(line) ?? answers.get(line.slice(0, end))
  if (!known) return notHere
  if (!line.startsWith('GET ') && !hasBody.test(head)) return noBody
  return (known.xml && wantsXml.test(head) ? known.xml : known.json).whole(line.slice(end), head)
}

/** @param {{ headerFields: Record<string, string>, body: string }} answer its body is ASCII */
function prepared({ headerFields, body }, idPlaceholder) {
  const fields = Object.entries(headerFields).map(([name, value]) => `${name}: ${value}\r\n`)
  const start = fields.join('')
  const notModified = `HTTP/1.1 304 Not Modified\r\n${start}\r\n`
  const parts = `HTTP/1.1 200 OK\r\n${start}Content-Length: ${body.length}\r\n\r\n${body}`.split(idPlaceholder)
  const bytes = parts.length === 1 ? Buffer.from(parts[0], 'latin1') : undefined
  return {
    whole(id, head) {
      if (headerFields.ETag === 'W/"1"' && knowsFirstVersion.test(head)) return notModified
      return bytes ?? parts.join(id)
    },
  }
}

answerQuestions({
  /** Listens; `{origin}` in a body becomes its own. */
  async start({ canned, idPlaceholder }) {
    await new Promise((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const origin = `http://127.0.0.1:${server.address().port}`
    const prepare = (answer) =>
      answer && prepared({ ...answer, body: answer.body.replaceAll('{origin}', origin) }, idPlaceholder)
    answers = new Map(
      Object.entries(canned).map(([line, { json, xml }]) => [line, { json: prepare(json), xml: prepare(xml) }]),
    )
    return origin
  },
  requests: () => requests,
})
