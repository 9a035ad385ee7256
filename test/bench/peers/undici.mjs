/**
 * Nothing but Node's server and one dispatch of undici's: nothing is named, judged, logged or counted. What a gateway on Node
 * cannot do with less, so that the tables tell what the machine leaves room for.
 */
import http from 'node:http'
import { Pool } from 'undici'

const upstream = new Pool(process.env.UPSTREAM, { connections: 64 })

http.createServer(gather).listen(process.env.PORT, '127.0.0.1')

function gather(req, res) {
  const chunks = []
  req.on('data', (chunk) => chunks.push(chunk))
  req.on('end', () => forward(req, chunks.length > 0 ? Buffer.concat(chunks) : undefined, res))
}

function forward({ method, url, headers }, body, res) {
  const chunks = []
  let answered
  upstream.dispatch(
    { method, path: url, headers: { ...headers, connection: undefined }, body },
    {
      onRequestStart() {},
      onResponseStart(_controller, status, fields) {
        answered = { status, fields }
      },
      onResponseData(_controller, chunk) {
        chunks.push(chunk)
      },
      onResponseEnd() {
        res.writeHead(answered.status, answered.fields)
        res.end(Buffer.concat(chunks))
      },
      onResponseError: () => res.destroy(),
    },
  )
}
