import { readIfNoneExist } from '../fhir/criteria.ts'
import { needsOf, needsOfParameters, isScoped, writeScope, type Grants, type ScopeNeed } from '../fhir/smart-scopes.ts'
import type { Interaction } from '../fhir/interaction.ts'
import { readQuery } from '../fhir/target.ts'
import type { Policy } from '../policy/policy.ts'
import type { Refusal } from '../policy/refusal.ts'
import { challenge, readBearer } from '../tokens/bearer.ts'
import type { Verified } from '../tokens/token-check.ts'
import type { Exchange, GovernedBase } from './exchange.ts'
import { fail, refuse, type HeaderFields, type Reply } from './reply.ts'
import type { RequestHead } from './request-head.ts'

/** Nobody in particular: the base asks for no token. */
export const anybody: Verified = { caller: {}, scopes: [], grants: undefined }

export type Identified =
  { readonly ok: true; readonly verified: Verified } | { readonly ok: false; readonly reply: Reply }

/**
 * Who calls, by the bearer token of the request, where the base asks for one. What the server is able to do is for everybody
 * (https://hl7.org/fhir/R4/http.html#capabilities).
 */
export function identify(
  base: GovernedBase,
  head: RequestHead,
  interaction: Interaction,
): Promise<Identified> | Identified {
  const { tokenCheck, path } = base
  if (!tokenCheck || interaction.code === 'capabilities') return { ok: true, verified: anybody }
  return identifyByToken(tokenCheck, path, head)
}

async function identifyByToken(
  tokenCheck: NonNullable<GovernedBase['tokenCheck']>,
  path: string,
  head: RequestHead,
): Promise<Identified> {
  const refused = (reply: Reply) => ({ ok: false, reply }) as const
  const presented = readBearer(head.fieldLines('authorization')[0])
  if (presented.kind === 'none') {
    const sentence = 'Send a bearer token in the Authorization header field.'
    return refused(refuse('token-missing', sentence, challenged(path)))
  }
  const checked =
    presented.kind === 'token'
      ? await tokenCheck.check(presented.token)
      : ({ kind: 'refused', cause: 'token-invalid', sentence: 'It is not one token.' } as const)
  switch (checked.kind) {
    case 'verified':
      return { ok: true, verified: checked.verified }
    case 'refused': {
      const sentence = `The bearer token is not accepted. ${checked.sentence}`
      return refused(refuse(checked.cause, sentence, challenged(path, { code: 'invalid_token', sentence })))
    }
    case 'unavailable': {
      const { error } = checked
      return refused(
        fail('keys-unavailable', 'The bearer token cannot be verified at the moment; try again.', { error }),
      )
    }
  }
}

const challenged = (...parts: Parameters<typeof challenge>): HeaderFields => ({
  'www-authenticate': challenge(...parts),
})

/** A token elsewhere than in the header field is written into logs (RFC 6750, section 5.3), and nobody has verified it. */
export function tokenInParameters(
  { tokenCheck }: GovernedBase,
  parameters: readonly (readonly [string, string])[],
): Refusal | undefined {
  if (!tokenCheck || !parameters.some(([name]) => name === 'access_token')) return undefined
  return {
    cause: 'request-malformed',
    diagnostics: 'The parameter `access_token` is not offered; send the token in the Authorization header field.',
  }
}

/** What a request, or an entry of a Bundle, asks of its caller's scopes. */
export interface Asking extends Pick<Interaction, 'code' | 'type' | 'operation' | 'query'> {
  readonly conditional?: boolean | undefined
}

/** What the head of a request asks: If-None-Exist makes a create conditional, and its criteria are a search. */
export function askingOf(interaction: Interaction, head: RequestHead): Asking {
  const ifNoneExist = interaction.code === 'create' ? head.fieldLines('if-none-exist')[0] : undefined
  if (ifNoneExist === undefined) return interaction
  // What is sent is what is asked for here, and is read in the same way; what cannot be read is refused by who sends it.
  const read = readIfNoneExist(ifNoneExist, interaction.type ?? '')
  return { ...interaction, conditional: true, query: 'criteria' in read ? read.criteria : '' }
}

/** Why a request may not be made with the token that came with it; undefined: it may. */
export function refusalOfAccess(exchange: Pick<Exchange, 'base' | 'grants'>, asking: Asking): Refusal | undefined {
  const { base, grants } = exchange
  const inQuery = tokenInParameters(base, base.tokenCheck ? (readQuery(asking.query) ?? []) : [])
  if (inQuery || !grants) return inQuery
  const needs = needsOfAsking(base, asking)
  return needs
    ? refusalOfNeeds(grants, needs)
    : { cause: 'scope-missing', diagnostics: 'No scope lets this operation be called.' }
}

/** The same for the parameters of a search that stand in its body. */
export function refusalOfSearch(
  { base, grants }: Pick<Exchange, 'base' | 'grants'>,
  parameters: readonly (readonly [string, string])[],
): Refusal | undefined {
  return tokenInParameters(base, parameters) ?? (grants && refusalOfNeeds(grants, needsOfParameters(parameters)))
}

function refusalOfNeeds(grants: Grants, needs: readonly ScopeNeed[]): Refusal | undefined {
  const lacking = needs.filter((need) => !grants.allows(need))
  if (lacking.length === 0) return undefined
  const scopes = [...new Set(lacking.map((need) => writeScope(need, grants.level)))]
  const diagnostics = `The scopes of the token do not cover this; it needs ${scopes.join(' ')}.`
  return { cause: 'scope-missing', diagnostics, scopes }
}

/** What the interaction needs; undefined where nobody has said. */
function needsOfAsking({ tokens, policy }: GovernedBase, asking: Asking): readonly ScopeNeed[] | undefined {
  const { code, operation = '' } = asking
  if (isScoped(asking)) return needsOf({ ...asking, code: asking.code })
  switch (code) {
    case 'operation':
      return tokens && tokens.scopes !== 'off' ? tokens.scopes.operations.get(operation) : undefined
    case 'paging':
      return [...needsOfPage(policy), ...needsOfParameters(readQuery(asking.query) ?? [])]
    default:
      // A Bundle asks nothing but what its entries ask.
      return []
  }
}

/** A page does not say of which search or history it is: of any that the policy opens. */
function needsOfPage({ resources, others, system, mode }: Policy): readonly ScopeNeed[] {
  const ofAll = system.interactions.has('search-system') || system.interactions.has('history-system')
  if (ofAll || others.size > 0 || mode === 'report') return [{ type: '*', action: 's' }]
  return [...resources].flatMap(([type, { interactions }]): readonly ScopeNeed[] => {
    const isSearched = interactions.has('search-type') || interactions.has('history-type')
    return [
      ...(isSearched ? [{ type, action: 's' } as const] : []),
      ...(interactions.has('history-instance') ? [{ type, action: 'r' } as const] : []),
    ]
  })
}

/** A refusal for want of scopes says so in WWW-Authenticate, too (RFC 6750, section 3.1). */
export function withChallenge({ path }: GovernedBase, reply: Reply): Reply {
  if (reply.kind !== 'refused') return reply
  const refusals = reply.refusals.filter(({ cause }) => cause === 'scope-missing')
  if (refusals.length === 0) return reply
  const error = { code: 'insufficient_scope', sentence: refusals[0]!.diagnostics } as const
  const scopes = [...new Set(refusals.flatMap((refusal) => refusal.scopes ?? []))]
  return { ...reply, headerFields: { ...reply.headerFields, ...challenged(path, error, scopes) } }
}
