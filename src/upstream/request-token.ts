import {
  allowInsecureRequests,
  clientCredentialsGrantRequest,
  ClientSecretBasic,
  processClientCredentialsResponse,
} from 'oauth4webapi'
import type { UpstreamCredentials } from '../config/config.ts'
import type { Token } from './credentials.ts'

/** For a token whose issuer does not say how long it is good, in milliseconds. */
const unknownLifetimeMs = 5 * 60_000

/**
 * Asks for a token by OAuth's client credentials (RFC 6749, section 4.4). No redirect is followed.
 * @throws {Error} when there is none to be had
 */
export async function requestToken(
  { tokenUrl, clientId, clientSecret, scope }: Extract<UpstreamCredentials, { kind: 'client-credentials' }>,
  timeoutMs: number,
): Promise<Token> {
  const server = { issuer: new URL(tokenUrl).origin, token_endpoint: tokenUrl }
  const client = { client_id: clientId }
  const response = await clientCredentialsGrantRequest(
    server,
    client,
    ClientSecretBasic(clientSecret),
    new URLSearchParams(scope === undefined ? {} : { scope }),
    // The config takes plain http on loopback only.
    { [allowInsecureRequests]: true, signal: AbortSignal.timeout(timeoutMs) },
  )
  const answer = await processClientCredentialsResponse(server, client, response)
  if (answer.token_type !== 'bearer') throw new Error('The token is no bearer token.')
  const { access_token: token, expires_in: seconds } = answer
  if (!/^[A-Za-z0-9._~+/-]+=*$/.test(token)) throw new Error('The token is none (RFC 6750, section 2.1).')
  return { token, lifetimeMs: seconds === undefined ? unknownLifetimeMs : seconds * 1000 }
}
