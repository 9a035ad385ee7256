import type { z } from 'zod'
import type { Diagnostic } from '../policy/source.ts'
import type { UpstreamCredentials, UpstreamTls } from './config.ts'
import { readAuthorities, readIdentity, type Finding, type ReadNamed, type TlsRead } from './tls-files.ts'
import type { upstreamCredentialsSchema, upstreamTlsSchema } from './upstream-schema.ts'

/** As gateway.yaml has them: what they hold stands in files. */
export interface UpstreamAccessSettings {
  readonly tls?: NonNullable<z.output<typeof upstreamTlsSchema>>
  readonly credentials?: Exclude<z.output<typeof upstreamCredentialsSchema>, 'callers'>
}

/** How the gateway comes to an upstream, and what was found wrong with the files: then something of it is missing. */
export interface LoadedAccess {
  readonly tls?: UpstreamTls
  readonly credentials?: UpstreamCredentials
  readonly mistakes: readonly Diagnostic[]
  /** What keeps nobody from serving: a certificate that is not valid today. */
  readonly doubts: readonly Diagnostic[]
}

/**
 * Reads the files of `upstream.tls` and `upstream.credentials`.
 * @param hasTokens whether the base lets in only who has a token
 * @param diagnose the place of a setting below `upstream`, for a message
 */
export function loadAccess(
  settings: UpstreamAccessSettings,
  hasTokens: boolean,
  read: ReadNamed,
  diagnose: (path: readonly string[], message: string) => Diagnostic,
): LoadedAccess {
  const tls = settings.tls && loadTls(settings.tls, read)
  const place = ({ setting, message }: Finding) => diagnose(['tls', setting], message)
  const credentials = settings.credentials && loadCredentials(settings.credentials, hasTokens, read, diagnose)
  return {
    ...(tls?.value && { tls: tls.value }),
    ...(credentials?.value && { credentials: credentials.value }),
    mistakes: [...(tls?.mistakes ?? []).map(place), ...(credentials?.mistakes ?? [])],
    doubts: (tls?.doubts ?? []).map(place),
  }
}

function loadTls(tls: NonNullable<UpstreamAccessSettings['tls']>, read: ReadNamed): TlsRead<UpstreamTls> {
  const now = new Date()
  const { ca, certificate, key, 'server-name': serverName } = tls
  if ((certificate === undefined) !== (key === undefined)) {
    const [setting, other] = key === undefined ? ['certificate', 'key'] : ['key', 'certificate']
    return { mistakes: [{ setting, message: `It goes with \`${other}\`, which is missing.` }], doubts: [] }
  }
  const authorities = ca === undefined ? undefined : readAuthorities('ca', ca, read, now)
  const identity = certificate === undefined ? undefined : readIdentity({ certificate, key: key! }, read, now)
  return {
    value: {
      ...(authorities?.value !== undefined && { authorities: authorities.value }),
      ...(identity?.value && { identity: identity.value }),
      ...(serverName !== undefined && { serverName }),
    },
    mistakes: [...(authorities?.mistakes ?? []), ...(identity?.mistakes ?? [])],
    doubts: [...(authorities?.doubts ?? []), ...(identity?.doubts ?? [])],
  }
}

function loadCredentials(
  credentials: NonNullable<UpstreamAccessSettings['credentials']>,
  hasTokens: boolean,
  read: ReadNamed,
  diagnose: (path: readonly string[], message: string) => Diagnostic,
): { readonly value?: UpstreamCredentials; readonly mistakes: readonly Diagnostic[] } {
  const mistakes: Diagnostic[] = []
  const secretOf = (path: string, ...at: readonly string[]) => {
    const found = read(path)
    const message =
      'mistake' in found ? found.mistake : oneLine(found.text) === undefined ? notOneLine(path) : undefined
    if (message !== undefined) mistakes.push(diagnose(['credentials', ...at], message))
    return 'text' in found ? oneLine(found.text) : undefined
  }
  if (!hasTokens && !credentials['for-anybody']) {
    const message =
      'The server will not know who calls, and the base asks nobody for a token: add `tokens`, or say `for-anybody: true`.'
    mistakes.push(diagnose(['credentials'], message))
  }
  const { 'header-field': headerField, 'client-credentials': settings } = credentials
  if ((headerField === undefined) === (settings === undefined)) {
    const message = 'Expected either `header-field` or `client-credentials`.'
    return { mistakes: [...mistakes, diagnose(['credentials'], message)] }
  }
  if (headerField) {
    const { name, file } = headerField
    const value = secretOf(file, 'header-field', 'file')
    return { ...(value !== undefined && { value: { kind: 'header-field', name, value } }), mistakes }
  }
  const { 'token-url': tokenUrl, 'client-id': clientId, 'client-secret-file': secretFile, scope } = settings!
  const clientSecret = secretOf(secretFile, 'client-credentials', 'client-secret-file')
  return {
    ...(clientSecret !== undefined && {
      value: { kind: 'client-credentials', tokenUrl, clientId, clientSecret, ...(scope !== undefined && { scope }) },
    }),
    mistakes,
  }
}

/** Without the line break at its end; undefined when it could not be the value of a header field. */
function oneLine(text: string): string | undefined {
  const line = text.replace(/\r?\n$/, '')
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(line) ? line : undefined
}

const notOneLine = (path: string) => `Expected one line of visible ASCII characters in \`${path}\`, and nothing else.`
