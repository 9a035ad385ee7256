import type { Breaker, Permission, Sent } from '../upstream/breaker.ts'
import type { Unavailable, UpstreamClient, UpstreamReply } from '../upstream/client.ts'
import type { PassedRead, PassThrough } from '../upstream/pass-through.ts'

/** Enough for any CapabilityStatement, in bytes; a larger one is an answer, too. */
const probeBytes = 16 * 1024 ** 2

/**
 * A client that sends nothing while the breaker is open.
 * @param basePath path of the upstream's FHIR base, without trailing slash
 */
export function guardedClient(client: UpstreamClient, breaker: Breaker, basePath: string): UpstreamClient {
  const probe = async () => {
    const permission = breaker.ask({ isRead: true })
    if (!permission.send) return
    const headerFields = { accept: 'application/fhir+json' }
    await settled(permission, () =>
      client.send({ method: 'GET', path: `${basePath}/metadata`, headerFields, maxBytes: probeBytes }),
    )
  }
  return {
    ...client,
    async send(request) {
      const isRead = request.method === 'GET'
      const permission = breaker.ask({ isRead })
      if (!permission.send) {
        // Where nothing but writes come, no read would ever find out that the upstream has recovered.
        if (!isRead) void probe()
        return unavailable(permission)
      }
      return settled(permission, () => client.send(request))
    },
  }
}

/** Reads that pass through, likewise. */
export function guardedPassThrough(passThrough: PassThrough, breaker: Breaker): PassThrough {
  return {
    ...passThrough,
    async send(req, res, read) {
      const permission = breaker.ask({ isRead: true })
      if (!permission.send) return unavailable(permission)
      return settled(permission, () => passThrough.send(req, res, read))
    },
  }
}

async function settled<Reply extends UpstreamReply | PassedRead>(
  { settle }: Extract<Permission, { send: true }>,
  send: () => Promise<Reply>,
): Promise<Reply> {
  let sent: Sent = 'nothing'
  try {
    const reply = await send()
    sent = saysOfUpstream(reply)
    return reply
  } finally {
    settle(sent)
  }
}

const unavailable = ({ waitMs }: Extract<Permission, { send: false }>): Unavailable => ({
  kind: 'unavailable',
  cause: 'upstream-unavailable',
  sent: false,
  seconds: Math.max(1, Math.ceil(waitMs / 1000)),
})

/** What a reply says of the upstream. It has answered, too, who refuses: 4xx, a version conflict among them. */
function saysOfUpstream(reply: UpstreamReply | PassedRead): Sent {
  switch (reply.kind) {
    case 'unreachable':
    case 'too-slow':
      return 'failed'
    case 'answered':
      // 501 says what the server never does, not how it is.
      return reply.status >= 500 && reply.status !== 501 ? 'failed' : 'answered'
    case 'too-large':
    case 'unusable':
      return 'answered'
    case 'streamed':
      return reply.whole ? 'answered' : reply.clientGone ? 'nothing' : 'failed'
    case 'client-gone':
    case 'unavailable':
      return 'nothing'
  }
}
