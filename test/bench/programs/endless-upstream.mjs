import http from 'node:http'
import { answerQuestions } from './questions.mjs'

/** An upstream with a small answer, one of 15 MiB whose URLs are rewritten, and one that never ends. */
const fifteenMebibytes = JSON.stringify({
  resourceType: 'Bundle',
  type: 'searchset',
  entry: [{ resource: { resourceType: 'Flag', code: { text: 'x'.repeat(15 * 1024 ** 2) } } }],
})
const part = 'x'.repeat(64 * 1024)

function answer(request, response) {
  response.setHeader('content-type', 'application/fhir+json')
  if (request.url.startsWith('/STU3/Flag?')) return response.end(fifteenMebibytes)
  if (request.url === '/STU3/Flag/endless') {
    response.write('{"resourceType":"Flag","id":"endless","code":{"text":"')
    const more = () => {
      while (response.write(part)) {
        // Until it is full.
      }
    }
    response.on('drain', more)
    return more()
  }
  if (request.url === '/STU3/metadata') {
    return response.end(
      '{"resourceType":"CapabilityStatement","fhirVersion":"3.0.2","kind":"instance","format":["json"]}',
    )
  }
  return response.end('{"resourceType":"Flag","id":"1","status":"active"}')
}

answerQuestions({
  start: () =>
    new Promise((resolve) => {
      const server = http.createServer(answer).listen(0, '127.0.0.1', () => {
        resolve(`http://127.0.0.1:${server.address().port}`)
      })
    }),
})
