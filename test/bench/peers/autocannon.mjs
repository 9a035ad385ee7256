/** The load generator where wrk is not installed. It answers as wrk.lua does, in the same blocks of requests. */
import autocannon from 'autocannon'
import { answerQuestions } from '../programs/questions.mjs'

answerQuestions({ load })

async function load({ origin, requests, ids, block, first, idPlaceholder, answer, connections, seconds }) {
  const latencies = []
  let sent = 0
  let wrong = 0
  let example = ''
  const next = (defaults) => {
    const round = Math.floor(sent / block)
    const id = first + Math.floor(round / requests.length) * block + (sent++ % block)
    const request = requests[round % requests.length]
    const own = ids === 'same' ? request : withId(request, String(id).padStart(10, '0'))
    // It adds to the header fields that it is given.
    return { ...defaults, ...own, headers: { ...own.headers } }
  }
  const withId = (request, id) => ({
    ...request,
    path: request.path.replace(idPlaceholder, id),
    ...(request.body && { body: request.body.replaceAll(idPlaceholder, id) }),
  })
  const check = (status, body) => {
    if (status === answer.status && body.includes(answer.holds)) return
    if (wrong++ === 0) example = `${status} ${body.slice(0, 300)}`
  }
  // Requests that are all the same are built once; it builds anew what has a setupRequest.
  const same = ids === 'same' && requests.length === 1
  const started = performance.now()
  let ended = started
  const running = autocannon({
    url: origin,
    connections,
    duration: seconds,
    sampleInt: 100,
    requests: [{ ...(same ? requests[0] : { setupRequest: next }), onResponse: check }],
  })
  running.on('response', (_client, _status, _bytes, milliseconds) => {
    latencies.push(milliseconds)
    ended = performance.now()
  })
  const { errors, timeouts } = await running
  latencies.sort((a, b) => a - b)
  const percentile = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    requests: latencies.length,
    seconds: (ended - started) / 1000,
    p50: percentile(0.5),
    p99: percentile(0.99),
    wrong: wrong + errors + timeouts,
    example,
  }
}
