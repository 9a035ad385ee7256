import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { ListenerTls } from '../config/config.ts'

/** What of a listener's TLS can be another one while it listens: everything but whether clients show certificates. */
export function secureContextOf({ identity, minimumVersion, clientAuthorities }: ListenerTls): SecureContextOptions {
  return {
    cert: identity.certificate,
    key: identity.key,
    minVersion: minimumVersion,
    ...(clientAuthorities !== undefined && { ca: clientAuthorities }),
  }
}

/**
 * The options of a server that speaks TLS.
 * @param handshakeMs for the handshake, in milliseconds
 */
export function tlsOptionsOf(tls: ListenerTls, handshakeMs: number): TlsOptions {
  const mutual = tls.clientAuthorities !== undefined
  return {
    ...secureContextOf(tls),
    requestCert: mutual,
    rejectUnauthorized: mutual,
    handshakeTimeout: handshakeMs,
  }
}
