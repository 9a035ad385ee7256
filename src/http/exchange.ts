import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Base, GatewayConfig } from '../config/config.ts'
import type { Interaction, InteractionCode } from '../fhir/interaction.ts'
import type { Asked } from '../fhir/media-type.ts'
import type { judge, Surroundings } from '../policy/judge.ts'
import type { Refusal } from '../policy/refusal.ts'
import type { RequestFacts } from '../policy/request-facts.ts'
import type { Grants } from '../fhir/smart-scopes.ts'
import type { Caller, TokenCheck } from '../tokens/token-check.ts'
import type { BaseUrls } from '../upstream/base-urls.ts'
import type { Breaker } from '../upstream/breaker.ts'
import type { UpstreamClient } from '../upstream/client.ts'
import type { CapabilityStatements } from '../upstream/capability-statements.ts'
import type { PassThrough } from '../upstream/pass-through.ts'
import type { StoredVersions } from '../upstream/stored-versions.ts'
import type { WrittenStatements } from './capabilities.ts'
import type { HeaderFields } from './reply.ts'
import type { Account } from './account.ts'
import type { HeldBodies } from './held-bodies.ts'
import type { RequestHead } from './request-head.ts'

/** One FHIR base with what stands behind it. */
export interface GovernedBase extends Base {
  readonly client: UpstreamClient
  /** The same connections, for the stored versions. */
  readonly versionClient: UpstreamClient
  readonly storedVersions: StoredVersions
  readonly passThrough: PassThrough
  /** Undefined: everything is sent, however the upstream answers. */
  readonly breaker: Breaker | undefined
  /** What the upstream says of itself, and what we make of it. */
  readonly statements: CapabilityStatements
  readonly written: WrittenStatements
  /** Path of the upstream's FHIR base, without trailing slash. */
  readonly upstreamPath: string
  /** The URLs of its upstream become URLs under one of the bases under which clients reach us. */
  urlsUnder(own: string): BaseUrls
  /** For the line of each request. */
  readonly policyLabel: string
  /** Undefined: no token is asked for. */
  readonly tokenCheck: TokenCheck | undefined
}

/** A request whose interaction is known and open, with all that its stages need. */
export interface Exchange {
  readonly requestId: string
  readonly config: GatewayConfig
  readonly base: GovernedBase
  readonly interaction: Interaction
  /** That the policy does not open it, where that is only reported. */
  readonly reported: readonly Refusal[]
  readonly head: RequestHead
  readonly asked: Asked
  readonly urls: BaseUrls
  /** Bases under which a reference names this server's resources: not the one of Host, which is the client's to choose. */
  readonly knownBases: readonly string[]
  /** The caller's header fields that go upstream with everything that is asked for it. */
  readonly callerFields: Readonly<Record<string, string>>
  /** Header fields of the answer, whatever it is: those of CORS, and those of the request that it repeats. */
  readonly everyAnswersFields: HeaderFields
  /** Who calls, as a verified token has it; empty without one. */
  readonly caller: Caller
  /** What its scopes grant; undefined: they are not asked. */
  readonly grants: Grants | undefined
  readonly judge: typeof judge
  /** What rules may ask about the request; the interaction is each write's own. */
  readonly request: Omit<RequestFacts, 'interaction'>
  /** Where what is decided is written down; undefined where nothing is. */
  readonly account: Account | undefined
  /** The bodies of the requests that are being answered. */
  readonly bodies: HeldBodies
  /** Has the entries of a Bundle counted as requests. */
  countEntries(entries: number): Promise<void>
  /** Only for the stages that read the body or stream the answer. */
  readonly req: IncomingMessage
  readonly res: ServerResponse
}

/** What the judge must know beside a write. */
export function surroundingsOf(
  { knownBases, config, request }: Pick<Exchange, 'knownBases' | 'config' | 'request'>,
  interaction: InteractionCode,
): Surroundings {
  return { bases: knownBases, maxRefusals: config.limits.refusals, request: { interaction, ...request } }
}
