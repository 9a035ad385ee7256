import type { Definitions } from '../fhir/definitions.ts'
import type { Interaction, InteractionCode } from '../fhir/interaction.ts'
import type { FhirRelease } from '../fhir/version.ts'
import type { HeaderFieldRule, IfMatchRule, Mode, RuleSet } from './rule.ts'
import type { Answer, Cause, Refusal } from './refusal.ts'

/** How the answers of a policy look as OperationOutcome. */
export interface OutcomeStyle {
  /** OperationOutcome.meta.profile */
  readonly profile?: string
  /** The coding system of the policy's own codes, with their display texts. */
  readonly codes?: { readonly system: string; readonly display: ReadonlyMap<string, string> }
}

/** What a policy says of one resource type. */
export interface ResourcePolicy {
  readonly interactions: ReadonlySet<InteractionCode>
  /** Whether the criteria of a search may stand for the id. */
  readonly conditional: ReadonlySet<ConditionalInteraction>
  /** Rules for an update, and for a patch. */
  readonly update?: RuleSet
  readonly create?: RuleSet
  readonly delete?: RuleSet
  /** On the type, and on an instance of it. */
  readonly operations: { readonly type: Operations; readonly instance: Operations }
}

export type ConditionalInteraction = 'create' | 'update' | 'patch' | 'delete'

/** An operation that is open on one level, by its name without `$`. */
export interface OperationPolicy {
  readonly methods: ReadonlySet<'GET' | 'POST'>
  /** What its Parameters must be. Without rules it is one that changes nothing, and passes. */
  readonly rules?: RuleSet
}

export type Operations = ReadonlyMap<string, OperationPolicy>

/** A compiled policy file: what is open, and the rules for what is open and writes. What it does not name is closed. */
export interface Policy {
  readonly name: string
  readonly summary: string
  /** SHA-256 of the policy file's text, and of the files that it names, hexadecimal. */
  readonly digest: string
  /** Of what the policy has no rules for. In report mode an interaction that it does not open goes on, too. */
  readonly mode: Mode
  /** As the file has it: `3.0.2`. */
  readonly fhirVersion: string
  readonly release: FhirRelease
  readonly definitions: Definitions
  readonly outcome: OutcomeStyle
  readonly answers: ReadonlyMap<Cause, Answer>
  /** What is asked of the header fields of every request, where the config has it asked. */
  readonly headerFields: readonly HeaderFieldRule[]
  /** HTTP statuses, best first: several refusals are answered with the first of these that one of them has. */
  readonly precedence: readonly number[]
  /** Absolute bases under which a reference `[base]/[type]/[id]` is known to name this server's resources. */
  readonly bases: readonly string[]
  readonly system: { readonly interactions: ReadonlySet<InteractionCode>; readonly operations: Operations }
  readonly resources: ReadonlyMap<string, ResourcePolicy>
  /** Those of the resource types that the policy does not name: one section of it, `*`, is compiled for each of them. */
  readonly others: ReadonlySet<string>
}

/** `nhs-reasonable-adjustments@1f3a5c7e9b2d`: the name, and the first 12 digits of the digest. */
export function policyLabel({ name, digest }: Pick<Policy, 'name' | 'digest'>): string {
  return `${name}@${digest.slice(0, 12)}`
}

function openOn(policy: Policy, type: string | undefined): ReadonlySet<InteractionCode> | undefined {
  return type === undefined ? policy.system.interactions : policy.resources.get(type)?.interactions
}

/** The operation that an interaction calls, if the policy opens it on that level. */
export function operationOf(policy: Policy, { type, id, operation }: Interaction): OperationPolicy | undefined {
  if (operation === undefined) return undefined
  if (type === undefined) return policy.system.operations.get(operation)
  return policy.resources.get(type)?.operations[id === undefined ? 'type' : 'instance'].get(operation)
}

/** Whether the policy opens an interaction. A Bundle is open on the base when either kind is: its type says which it is. */
export function offers(policy: Policy, interaction: Interaction): boolean {
  const { code, type, conditional, method } = interaction
  if (code === 'operation') {
    return (
      method !== 'HEAD' &&
      (operationOf(policy, interaction)?.methods as ReadonlySet<string> | undefined)?.has(method) === true
    )
  }
  if (code === 'transaction' && policy.system.interactions.has('batch')) return true
  if (!openOn(policy, type)?.has(code)) return false
  return !conditional || policy.resources.get(type!)?.conditional.has(code as ConditionalInteraction) === true
}

/**
 * Whether an interaction that the policy does not open goes on all the same, and is reported: a policy in report mode breaks
 * nobody who has used the server without it. What is no type of the FHIR version can be carried by nobody.
 */
export function reportsOnly(policy: Policy, { type, code, method }: Interaction): boolean {
  const isKnown = type === undefined || policy.definitions.isResource(type)
  return policy.mode === 'report' && isKnown && !(code === 'operation' && method === 'HEAD')
}

/** An interaction that the policy does not open, where that is only reported; undefined where it is refused. */
export function reportedInteraction(policy: Policy, interaction: Interaction): Refusal | undefined {
  if (!reportsOnly(policy, interaction)) return undefined
  const { type = 'system', code, operation } = interaction
  return {
    cause: 'interaction-not-offered',
    diagnostics: 'The policy does not open this interaction.',
    expression: `${type}.${operation === undefined ? code : `$${operation}`}`,
  }
}

/**
 * Whether a request that changes a stored resource names its version, and in which mode that is asked. Where there are no
 * rules, which a policy in report mode alone lets go on, it may or may not.
 */
export function ifMatchOf(
  { resources, mode }: Policy,
  type: string,
  interaction: 'update' | 'patch' | 'delete',
): { readonly ifMatch: IfMatchRule; readonly mode: Mode } {
  const rules = resources.get(type)?.[interaction === 'delete' ? 'delete' : 'update']
  if (!rules) return { ifMatch: mode === 'report' ? 'optional' : 'required', mode }
  return { ifMatch: rules.ifMatch ?? 'required', mode: rules.mode }
}

/** The interactions that each shape of target can be, with their methods: what RFC 9110's Allow lists (section 10.2.1). */
const methodsByShape: Readonly<
  Record<'system' | 'type' | 'instance' | 'version', readonly (readonly [string, InteractionCode])[]>
> = {
  system: [
    ['GET', 'search-system'],
    ['POST', 'transaction'],
    ['POST', 'batch'],
  ],
  type: [
    ['GET', 'search-type'],
    ['POST', 'create'],
  ],
  instance: [
    ['GET', 'read'],
    ['PUT', 'update'],
    ['PATCH', 'patch'],
    ['DELETE', 'delete'],
  ],
  version: [['GET', 'vread']],
}

/** The methods that the policy opens on the target of an interaction, for the Allow header field of a 405. */
export function allowedMethods(policy: Policy, interaction: Interaction): readonly string[] {
  const open = openOn(policy, interaction.type)
  if (!open) return []
  const methods = new Set<string>()
  const add = (method: string) => {
    methods.add(method)
    if (method === 'GET') methods.add('HEAD')
  }
  switch (interaction.code) {
    case 'operation':
      return [...(operationOf(policy, interaction)?.methods ?? [])]
    case 'capabilities':
    case 'paging':
    case 'history-instance':
    case 'history-type':
    case 'history-system':
      if (open.has(interaction.code)) add('GET')
      return [...methods]
    default:
  }
  const shape =
    interaction.version !== undefined
      ? 'version'
      : interaction.id !== undefined
        ? 'instance'
        : interaction.type !== undefined
          ? 'type'
          : 'system'
  for (const [method, code] of methodsByShape[shape]) if (open.has(code)) add(method)
  if (shape === 'type') {
    const { conditional } = policy.resources.get(interaction.type!)!
    for (const [method, code] of methodsByShape.instance) {
      if (open.has(code) && conditional.has(code as ConditionalInteraction)) add(method)
    }
  }
  return [...methods]
}

/**
 * The sentence for what is not open.
 * @param method the HTTP method that came
 * @param allow what Allow lists
 */
export function notOffered(method: string, allow: string): string {
  // Another word than the methods that FHIR uses is the client's own text: it is not repeated.
  const what = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE)$/.test(method) ? `This ${method}` : 'This method'
  return `${what} is not offered here. ${allow === '' ? 'Nothing is.' : `Offered: ${allow}.`}`
}
