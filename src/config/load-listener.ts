import type { Diagnostic } from '../policy/source.ts'
import type { ListenerSettings } from './config.ts'
import type { ListenerEntry } from './gateway-file.ts'
import { readAuthorities, readIdentity, type Finding, type ReadNamed } from './tls-files.ts'

/** The listener with what its files hold, and what was found wrong with them: then it may be without TLS, and never serves. */
export interface LoadedListener {
  readonly listener: ListenerSettings
  readonly mistakes: readonly Diagnostic[]
  /** What keeps nobody from serving: a certificate that is not valid today. */
  readonly doubts: readonly Diagnostic[]
}

/**
 * Reads the files of `listener.tls`.
 * @param diagnose the place of a setting in gateway.yaml, for a message
 */
export function loadListener(
  { tls, ...listener }: ListenerEntry,
  read: ReadNamed,
  diagnose: (path: readonly string[], message: string) => Diagnostic,
): LoadedListener {
  if (!tls) return { listener, mistakes: [], doubts: [] }
  const now = new Date()
  const place = ({ setting, message }: Finding) => diagnose(['listener', 'tls', setting], message)
  const identity = readIdentity(tls, read, now)
  const authorities = tls.clientCa === undefined ? undefined : readAuthorities('client-ca', tls.clientCa, read, now)
  return {
    listener: {
      ...listener,
      ...(identity.value && {
        tls: {
          identity: identity.value,
          minimumVersion: tls.minimumVersion,
          ...(authorities?.value !== undefined && { clientAuthorities: authorities.value }),
        },
      }),
    },
    mistakes: [...identity.mistakes, ...(authorities?.mistakes ?? [])].map(place),
    doubts: [...identity.doubts, ...(authorities?.doubts ?? [])].map(place),
  }
}
