import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'
import { onTestFinished } from 'vitest'
import type { TokenTerms } from '../../src/config/config.ts'

/** Undefined takes a claim away. */
export type Claims = { readonly [claim in keyof JWTPayload]: JWTPayload[claim] | undefined }

/** Who issues tokens: a server on loopback that publishes its keys. */
export interface Issuer {
  readonly terms: TokenTerms
  readonly publicKey: JWK
  /** A token as it should be, but for what a test says. */
  token(claims?: Claims, header?: Readonly<Record<string, unknown>>): Promise<string>
  /** From now on it signs with another key, and publishes that one only. */
  rotate(): Promise<void>
  /** From now on it answers with this status; 0: it breaks the connection. */
  answers(status: number): void
  /** How often the keys have been asked for. */
  asked(): number
}

export const issuerName = 'https://login.example'
export const audience = 'https://fhir.example/STU3'

export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds

/** Until the test ends. */
export async function startIssuer(terms: Partial<TokenTerms> = {}, alg = 'ES256'): Promise<Issuer> {
  let pair = await keyPair(alg, 'k1')
  let status = 200
  let asked = 0
  const server = http.createServer((req, res) => {
    asked++
    if (status === 0) req.socket.destroy()
    else res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [pair.jwk] }))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    terms: {
      issuer: issuerName,
      audience: [audience],
      keys: { url: `http://127.0.0.1:${port}/jwks`, maxAgeMs: 600_000 },
      algorithms: ['ES256', 'RS256'],
      types: ['at+jwt', 'jwt'],
      clockSkewMs: 30_000,
      requiredClaims: [],
      forwarded: true,
      scopes: 'off',
      ...terms,
    },
    get publicKey() {
      return pair.jwk
    },
    token: (claims = {}, header = {}) => signed(pair.privateKey, claims, { alg, kid: pair.jwk.kid, ...header }),
    async rotate() {
      pair = await keyPair(alg, `k${Math.random()}`)
    },
    answers(other) {
      status = other
    },
    asked: () => asked,
  }
}

/** The name of an extension that nobody knows. */
export const sentCritical = 'urn:example:critical'

/** A token with the claims that it should have, but for those that are given; undefined takes one away. */
export function signed(
  key: CryptoKey | Uint8Array,
  claims: Claims,
  header: Readonly<Record<string, unknown>>,
): Promise<string> {
  const all = { iss: issuerName, aud: audience, sub: 'user-1', client_id: 'app-1', exp: inSeconds(300), ...claims }
  const { typ = 'at+jwt', ...rest } = header
  return new SignJWT(all as JWTPayload)
    .setProtectedHeader({ typ: typ as string, alg: 'ES256', ...rest })
    .sign(key, { crit: { [sentCritical]: true } })
}

async function keyPair(alg: string, kid: string): Promise<{ readonly privateKey: CryptoKey; readonly jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}
