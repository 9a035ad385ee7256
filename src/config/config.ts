import type { AddressRange } from './address-range.ts'
import type { JSONWebKeySet } from 'jose'
import type { ScopeNeed } from '../fhir/smart-scopes.ts'
import type { Identity } from './tls-files.ts'
import type { Policy } from '../policy/policy.ts'
import type { BreakerTerms, Limits, Timeouts } from './bounds.ts'

/** How an upstream behaves where servers differ. */
export interface UpstreamProfile {
  /** The query parameter that marks the server's own paging links on its base (`_getpages`). Undefined: none. */
  readonly pagingParameter?: string
  /**
   * How a delete is pinned to a version. `history-version`: DELETE [type]/[id]/_history/[version] deletes the resource, and
   * is refused when that is not the current version. Undefined: it cannot be, so no delete is sent.
   */
  readonly pinnedDelete?: 'history-version'
}

/** How TLS is spoken with an upstream. */
export interface UpstreamTls {
  /** The authorities, in PEM, of which one must have signed its certificate; undefined: those that Node knows. */
  readonly authorities?: string
  /** What is shown to it; undefined: nothing. */
  readonly identity?: Identity
  /** The name that its certificate must have; undefined: the host of its URL. */
  readonly serverName?: string
}

/** What the gateway shows to an upstream instead of the caller's Authorization. */
export type UpstreamCredentials =
  | { readonly kind: 'header-field'; readonly name: string; readonly value: string }
  | {
      readonly kind: 'client-credentials'
      readonly tokenUrl: string
      readonly clientId: string
      readonly clientSecret: string
      readonly scope?: string
    }

/** Which pages in a browser may use a base, by their origins; `*`: all. */
export interface CorsSettings {
  readonly origins: readonly string[]
  /** Whether browsers may add cookies and client certificates by themselves. */
  readonly credentials: boolean
  /** Request header fields, lower case, that pages may set beside the built-in ones. */
  readonly headerFields: readonly string[]
  readonly maxAgeMs: number
}

/** The keys with which an issuer signs its tokens. */
export type KeySource =
  /** Where they are fetched from, and how long they are used without asking again. */
  | { readonly url: string; readonly maxAgeMs: number }
  /** As they stand in a file. */
  | { readonly set: JSONWebKeySet }

/** Which bearer tokens are taken on a base, and what they let their holders do. */
export interface TokenTerms {
  readonly issuer: string
  /** A token is meant for one of these. */
  readonly audience: readonly string[]
  readonly keys: KeySource
  /** Asymmetric ones only. */
  readonly algorithms: readonly string[]
  /** What `typ` may be, in lower case without `application/`; `absent`: nothing. */
  readonly types: readonly string[]
  /** How far the clocks of the issuer and of this machine may be apart. */
  readonly clockSkewMs: number
  /** Claims that must be there beside `iss`, `aud` and `exp`. */
  readonly requiredClaims: readonly string[]
  /** Whether the token goes on to the upstream. */
  readonly forwarded: boolean
  readonly scopes:
    | 'off'
    | {
        /** Whether scopes within one patient’s compartment count. */
        readonly patient: 'grant-nothing' | 'upstream-enforces'
        /** What operations need, by name without `$`; what is not named is refused. */
        readonly operations: ReadonlyMap<string, readonly ScopeNeed[]>
      }
}

/** One FHIR base of ours, the policy that governs it, and the FHIR base behind it. */
export interface Base {
  /** Path of our FHIR base, with a leading and no trailing slash: `/STU3`. */
  readonly path: string
  readonly policy: Policy
  readonly upstream: {
    /** FHIR base URL, without trailing slash, query or fragment. */
    readonly url: URL
    readonly profile: UpstreamProfile
    /** Undefined: everything is sent, however it answers. */
    readonly breaker?: BreakerTerms
    readonly tls?: UpstreamTls
    /** Undefined: those of each caller. */
    readonly credentials?: UpstreamCredentials
  }
  /** Undefined: no token is asked for. */
  readonly tokens?: TokenTerms
  /** Whether requests are held to what the policy says of header fields. */
  readonly headerFieldsAsked?: boolean
  /** Undefined: none. */
  readonly cors?: CorsSettings
}

/** How TLS is spoken with clients. */
export interface ListenerTls {
  readonly identity: Identity
  readonly minimumVersion: 'TLSv1.2' | 'TLSv1.3'
  /** The authorities, in PEM, of which one must have signed each client's certificate; undefined: none is asked for. */
  readonly clientAuthorities?: string
}

/** How clients reach the gateway. */
export interface ListenerSettings {
  /** Undefined: plain HTTP. */
  readonly tls?: ListenerTls
  /** The proxies that may say who asks, and under which URL. */
  readonly trustedProxies: readonly AddressRange[]
  /** The header fields in which they do: X-Forwarded-For, -Proto and -Host, or Forwarded. */
  readonly forwardedIn: 'x-forwarded' | 'forwarded'
}

/** Where OpenTelemetry spans go, and which are made. */
export interface TracesSettings {
  /** Of the OTLP collector, for traces over HTTP. */
  readonly endpoint: URL
  readonly serviceName: string
  /** The share of the traces that begin here of which spans are recorded, from 0 to 1. */
  readonly sample: number
  /** Whether the trace of a request that comes with one goes on, or another one begins. */
  readonly incoming: 'continue' | 'begin'
}

/** Where decision records go. Header fields are in lower case, paths absolute once they are loaded. */
export type DecisionSettings =
  | 'off'
  | { readonly to: 'stdout'; readonly callerHeaderFields: readonly string[] }
  | {
      readonly to: 'file'
      readonly file: string
      readonly required: boolean
      readonly callerHeaderFields: readonly string[]
    }
  | {
      readonly to: 'audit-events'
      /** FHIR base of the server that keeps them. */
      readonly url: string
      /** The FHIR version that it speaks; undefined: that of each policy. */
      readonly release: 'STU3' | 'R4' | undefined
      /** A file with header fields for it, one a line. */
      readonly headerFile: string | undefined
      /** Folder of the queue. */
      readonly queue: string
      readonly queueBytes: number
      readonly required: boolean
      readonly callerHeaderFields: readonly string[]
    }

/** Everything that gateway.yaml says, compiled. Durations are milliseconds, sizes are bytes. */
export interface GatewayConfig {
  readonly bases: readonly Base[]
  readonly limits: Limits
  readonly timeouts: Timeouts
  readonly listener: ListenerSettings
  /** Stored versions, kept to judge against. */
  readonly cache: 'off' | { readonly bytes: number; readonly expireMs: number }
  readonly traces: 'off' | TracesSettings
  /** Further request header fields that go upstream, lower case, beside the built-in allow-list. */
  readonly forwardHeaderFields: readonly string[]
  /** Request header fields that rules may ask about, lower case. */
  readonly ruleHeaderFields: readonly string[]
}
