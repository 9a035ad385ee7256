import { z } from 'zod'
import { count, duration, durationOrNone, optionalDuration, readAs, size } from './readings.ts'

const rate = z
  .union([
    z.literal('off').describe('As many as come.'),
    z.strictObject({
      requests: z.int().min(1).max(1_000_000).describe('How many.'),
      per: duration('1s').describe('In which time.'),
    }),
  ])
  .default('off')

/** `limits` in gateway.yaml. */
export const limitsSchema = z
  .strictObject({
    body: size('1 MiB').describe('The largest request body, after inflating.'),
    nesting: count(64, 1000).describe('The deepest nesting of a body.'),
    elements: count(50_000, 1_000_000).describe(
      'The most elements of a body, and of a stored resource that is read to be judged.',
    ),
    'bundle-entries': count(200, 10_000).describe('The most entries of a transaction or batch.'),
    'stored-resource': size('4 MiB').describe('The largest stored resource that is read to be judged.'),
    'rewritten-answer': size('16 MiB').describe(
      'The largest answer that is held until its URLs have become ours: of a search by POST, or in XML. A Bundle in JSON that a GET asks for is rewritten as it comes, and may be larger.',
    ),
    refusals: count(50, 1000).describe('The most refusals that one answer names.'),
    connections: count(20_000, 1_000_000).describe(
      'The most connections of clients that are open at the same time; what comes beyond is closed at once.',
    ),
    'in-flight': count(2000, 1_000_000).describe(
      'The most requests that are answered at the same time; what comes beyond is answered with 503 and Retry-After.',
    ),
    'held-bodies': size('128 MiB').describe(
      'The most that the bodies of all requests take together while they are received and answered. What comes beyond ends those that have been coming for the longest time, with 503.',
    ),
    rate: rate.describe(
      'How many requests may come from one IP address (of IPv6 the first 64 bits); what comes beyond is answered with 429 and Retry-After. Each entry of a Bundle counts as a request, for those that come after it. Behind a proxy it is the client’s own address only where `listener.trusted-proxies` names that proxy.',
    ),
    'client-rate': rate.describe(
      'The same for one client, wherever its requests come from: who it is says its verified token (`client_id`, `azp` or `cid`; `sub` where it has none of these). Only bases with `tokens` know that.',
    ),
  })
  .prefault({})
  .describe('What is too large, and what is too much.')

/** `timeouts` in gateway.yaml. */
export const timeoutsSchema = z
  .strictObject({
    request: duration('30s').describe(
      'To receive a request from the client: `header-section` and `body`, where these are not set.',
    ),
    'header-section': optionalDuration().describe(
      'To receive the header section of a request, from its first byte, or on a new connection from its beginning. Without it: `request`.',
    ),
    body: optionalDuration().describe('To receive the body of a request. Without it: `request`.'),
    'answer-taken': duration('1m').describe(
      'For the client to take an answer: the whole of one that the gateway holds, the next part of one that it streams.',
    ),
    idle: duration('65s').describe(
      'How long a connection on which no request is under way stays open. Longer than a load balancer in front keeps its own, so that it is never the gateway that closes one which is about to be used.',
    ),
    connect: duration('2s').describe('To connect to the upstream.'),
    upstream: duration('30s').describe(
      'For the upstream to answer: `first-byte` and `between-parts`, where these are not set; twice that is `whole`.',
    ),
    'first-byte': optionalDuration().describe(
      'From the sending of a request to the beginning of the upstream’s answer. Without it: `upstream`.',
    ),
    'between-parts': optionalDuration().describe('Between two parts of the upstream’s answer. Without it: `upstream`.'),
    whole: optionalDuration().describe(
      'For the whole of the upstream’s answer, unless it is streamed on; before, as long for a free connection. Without it: twice `upstream`.',
    ),
    'drain-delay': durationOrNone('0s').describe(
      'After SIGTERM, how long requests are still taken while readiness is false already: as long as who sends them here needs to learn that.',
    ),
    drain: duration('25s').describe('For requests in flight to end after SIGTERM and `drain-delay`.'),
  })
  .prefault({})
  .describe('What is too slow.')

const percentage = (preset: string) =>
  readAs({
    read: (text) => (/^([1-9]\d?|100) ?%$/.test(text) ? Number.parseInt(text, 10) : undefined),
    expected: 'a percentage such as `50 %`',
    pattern: /^([1-9]\d?|100) ?%$/,
  }).prefault(preset)

/** `breaker` of an upstream in gateway.yaml. */
export const breakerSchema = z
  .union([
    z.literal('off').describe('Everything is sent, however the server answers.'),
    z.strictObject({
      failed: percentage('50 %').describe(
        'So many of the requests must have failed: no connection, none or no whole answer in time, or 5xx (but 501).',
      ),
      'of-at-least': count(20, 1_000_000).describe('Of at least so many requests.'),
      within: duration('10s').describe('In this time.'),
      pause: duration('5s').describe(
        'For so long nothing is sent. Then one read is, and when it is answered, everything is again.',
      ),
    }),
  ])
  .default('off')
  .describe(
    'When the server counts as failing: then every request is answered at once with 503 and Retry-After, and nothing waits for it. A client’s mistakes (4xx) and version conflicts are no failures.',
  )
